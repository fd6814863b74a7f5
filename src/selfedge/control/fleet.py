"""What the control API needs of the processes; the supervisor's fleet fulfils it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from selfedge.catalog.model import ScriptState, Seen, Version


class Fleet(Protocol):
    """Runs what the catalog says."""

    async def check(self, account: str, script: ScriptState, version: Version) -> Seen:
        """Start `version` aside, in a process that nobody reaches, and stop it.

        `script` is the Worker as it will be, with the migrations that come with
        `version`; neither need be in the catalog yet, but the modules in the store.
        Returns what was seen of it.

        Raises:
            BuildError: it does not start; the message is what the engine said, with
                positions of the source that was written.
        """

    async def apply(self, account: str, script: str) -> None:
        """Bring what runs in line with the catalog; return when clients reach it.

        A script that is no longer in the catalog is stopped.

        Raises:
            EngineError: it does not start; what ran before goes on where it can.
        """

    async def forget(self, account: str, script: str) -> None:
        """Remove what the Durable Objects of a Worker stored.

        Nothing happens if the Worker is in the catalog. What cannot be removed is told
        to the operator.
        """

    async def attach(self, account: str, script: str) -> None:
        """Have a Worker report its invocations if, and only if, somebody wants them."""

    async def route(self) -> None:
        """Send clients where the catalog's routes, domains and zones say."""

    def url(self, account: str, script: str) -> str:
        """Return where clients reach a Worker: "http://NAME.SUBDOMAIN.DOMAIN:PORT"."""

    def report(self) -> Sequence[Mapping[str, object]]:
        """Return one entry per process: kind, scripts, pid, state, since, bytes."""
