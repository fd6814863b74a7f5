"""The Workers of a node, as the routes see them."""

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast
from weakref import WeakValueDictionary

from selfedge.api.paging import numbered
from selfedge.binding import AnyBinding, Call, Page
from selfedge.catalog.deployments import current
from selfedge.catalog.model import ScriptState, Version
from selfedge.catalog.scripts import (
    ScriptEdit,
    edit_script,
    script_of,
    with_version,
)
from selfedge.catalog.store import Catalog
from selfedge.catalog.times import iso
from selfedge.control.fleet import Fleet
from selfedge.control.workers.exports import ExportsOf
from selfedge.control.workers.limits import STARTUP_MAX_S
from selfedge.control.workers.problem import NO_VERSIONS, missing
from selfedge.control.workers.resources import Services
from selfedge.types import Clock

NO_VERSION = 10092


def random_id() -> str:
    """Return a new UUID."""
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """What there is, what runs it, and whose turn it is to change a Worker."""

    catalog: Catalog
    fleet: Fleet
    clock: Clock
    bindings: Sequence[AnyBinding]
    exports: ExportsOf
    services: Services | None = None  # None: what bindings name is not looked up
    new_id: Callable[[], str] = random_id
    startup_max_s: float = STARTUP_MAX_S
    _turns: "WeakValueDictionary[tuple[str, str], asyncio.Lock]" = field(
        default_factory=WeakValueDictionary
    )

    def now(self) -> str:
        """Return the time, as the catalog writes it."""
        return iso(self.clock())

    def today(self) -> str:
        """Return the day, in UTC."""
        return self.now()[: len("2026-01-01")]

    def script(self, call: Call) -> ScriptState:
        """Return the Worker that a call's path names.

        Raises:
            ApiError: there is none.
        """
        return script_of(self.catalog.state, call.account, call.path["script"])

    def turn(self, call: Call) -> asyncio.Lock:
        """Return the lock of the Worker that a call's path names, there or not."""
        key = (call.account, call.path["script"])
        lock = self._turns.get(key)
        if lock is None:
            lock = self._turns[key] = asyncio.Lock()
        return lock

    def latest(self, script: ScriptState) -> Version:
        """Return the version that was uploaded last.

        Raises:
            ApiError: there is none (10222).
        """
        if not script.versions:
            raise missing(f"{script.name} has no uploaded versions.", NO_VERSIONS)
        return self.catalog.version(script.versions[-1])

    def live(self, script: ScriptState) -> Version | None:
        """Return the version that most clients reach, else the latest, else None."""
        deployment = current(script)
        if deployment is not None:
            share = max(deployment.versions, key=lambda one: one.percentage)
            return self.catalog.version(share.version_id)
        return self.latest(script) if script.versions else None

    def version(self, script: ScriptState, version_id: str) -> Version:
        """Return one of a Worker's versions.

        Raises:
            ApiError: it has none of this id (404).
        """
        if version_id not in script.versions:
            raise missing(
                f"{script.name} has no version {version_id[:80]}.", NO_VERSION
            )
        return self.catalog.version(version_id)

    def newest(
        self,
        script: ScriptState,
        query: Mapping[str, str],
        show: Callable[[Version], object],
    ) -> Page:
        """Return a part of a Worker's versions as `show` shows them, newest first.

        Raises:
            ApiError: the query asks for a page that cannot be.
        """
        page = numbered(script.versions[::-1], query)
        ids = cast("Sequence[str]", page.items)
        return replace(page, items=[show(self.version(script, one)) for one in ids])

    def shown_version(self, call: Call) -> Version:
        """Return the version that a call's query names, else the one that is live.

        Raises:
            ApiError: there is none.
        """
        script = self.script(call)
        if wanted := call.query.get("version"):
            return self.version(script, wanted)
        return self.live(script) or self.latest(script)

    async def edit(self, call: Call, edit: ScriptEdit) -> None:
        """Change a Worker in the catalog, not what runs of it."""
        name = call.path["script"]
        await self.catalog.change(edit_script(call.account, name, self.now(), edit))

    async def add(self, call: Call, version: Version) -> None:
        """Make a version that is kept the latest of its Worker."""
        await self.edit(call, lambda script: with_version(script, version.id))
