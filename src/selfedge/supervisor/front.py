"""Keeps the front running, and tells it where everything is."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from selfedge.front.config import INTERNAL, FrontPlan, Listener, front_config
from selfedge.supervisor.group import Group
from selfedge.supervisor.slot import Release

DRAIN_S = 25.0  # at the end of the node; what comes meanwhile waits, and is answered

Listeners = Callable[[], Sequence[Listener]]
"""Returns the sockets for clients, with their certificates as they are on disk now."""


class Front:
    """The process that leads clients to Workers."""

    def __init__(
        self,
        group: Group,
        listeners: Listeners,
        slots: Mapping[str, str],
        services: Path,
        internal: Path,
        *,
        trusting: bool,
    ) -> None:
        self._group = group
        self._listeners = listeners
        self._slots = slots
        self._services = services
        self._internal = internal
        self._trusting = trusting
        self._origins: Mapping[str, str] = {}

    async def start(self, origins: Mapping[str, str]) -> None:
        """Let clients in.

        Raises:
            EngineError: it does not start: a certificate does not fit its key.
        """
        self._origins = origins
        await self._group.release(self._release)

    async def renew(self) -> None:
        """Take the certificates that are on disk now; lose no request."""
        await self._group.release(self._release)

    async def lead(
        self, table: Mapping[str, object], origins: Mapping[str, str]
    ) -> None:
        """Lead by `table` from now on; new origins make a new process."""
        if origins != self._origins:
            await self.start(origins)
        await self.tell(table)

    async def tell(self, table: Mapping[str, object]) -> None:
        """Lead by `table` from now on. A process that starts just now asks for it."""
        slot = self._group.current
        if slot is not None and slot.process is not None:
            with contextlib.suppress(OSError, TimeoutError):
                await slot.control.tell("/table", msgspec.json.encode(table))

    async def answers(self, within_s: float) -> None:
        """Return when the front has answered.

        Raises:
            TimeoutError: it does not.
            OSError: it does not run.
        """
        slot = self._group.current
        if slot is None:
            raise ConnectionResetError("the front does not run")
        await slot.control.status(within_s)

    async def stop(self) -> None:
        """Let nobody in any more; requests under way may end."""
        await self._group.stop(DRAIN_S)

    @property
    def pid(self) -> int | None:
        """The process id, while it runs."""
        slot = self._group.current
        process = slot.process if slot else None
        return process.pid if process and process.running else None

    def _release(self, successor: str) -> Release:
        listeners = self._listeners()
        plan = FrontPlan(
            listeners=listeners,
            slots=self._slots,
            origins=self._origins,
            services=f"unix:{self._services}",
            trusting=self._trusting,
        )
        return Release(
            scripts=("front",),
            config=front_config(plan, successor),
            durable=False,
            clients=[listener.socket for listener in listeners],
            entrances={INTERNAL: self._internal},
        )
