"""Appends events of Workers to their logs, some at a time and beside the event loop."""

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from selfedge.telemetry.event import Event
from selfedge.telemetry.hub import Script, Store
from selfedge.telemetry.logs import query
from selfedge.telemetry.logs.files import Retention, append, sweep
from selfedge.types import Clock, Notice

FLUSH_S = 0.2
PENDING_MAX = 10_000  # events that wait for the disk
SWEEP_EVERY_S = 3600.0


class LogStore:
    """The logs below one folder, which must be its own."""

    def __init__(
        self, root: Path, retention: Retention, clock: Clock, notice: Notice
    ) -> None:
        self._root = root
        self._retention = retention
        self._clock = clock
        self._notice = notice
        self._pending: defaultdict[Script, list[bytes]] = defaultdict(list)
        self._waiting = 0
        self._lost = 0
        self._numbers = itertools.count()
        self._turn = asyncio.Lock()
        self._writing: asyncio.Task[None] | None = None
        self._swept_s = 0.0
        self._failing = False

    def keep(self, script: Script, event: Event) -> None:
        """Keep one event; it is on disk soon, unless too many wait for that."""
        if self._waiting >= PENDING_MAX:
            self._lost += 1
            return
        entry = {"id": self._id(), "time": int(self._clock() * 1000), **event}
        self._pending[script].append(msgspec.json.encode(entry))
        self._waiting += 1
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_soon())

    async def find(
        self, script: Script, wanted: query.Wanted
    ) -> Sequence[Mapping[str, object]]:
        """Return the newest entries that are wanted, in the order of time."""
        await self.flush()
        return await asyncio.to_thread(query.find, self._folder(script), wanted)

    async def flush(self) -> None:
        """Return when all that was kept before is on disk."""
        async with self._turn:
            await self._write()

    async def _write_soon(self) -> None:
        while self._waiting:
            await asyncio.sleep(FLUSH_S)
            await self.flush()

    async def _write(self) -> None:
        pending, self._pending = self._pending, defaultdict(list)
        self._waiting = 0
        lost, self._lost = self._lost, 0
        if lost:
            self._notice(f"{lost} events of Workers were too many for their logs.")
        try:
            await asyncio.to_thread(self._append_all, pending)
        except OSError as error:
            if not self._failing:
                self._notice(
                    f"the logs in {self._root} cannot be written: {error.strerror}. "
                    "Workers go on without; make room, or mend the folder."
                )
            self._failing = True
        else:
            self._failing = False

    def _append_all(self, pending: Mapping[Script, Sequence[bytes]]) -> None:
        now = self._clock()
        if now - self._swept_s > SWEEP_EVERY_S:
            self._swept_s = now
            sweep(self._root, self._retention, now)
        for script, lines in pending.items():
            text = b"\n".join(lines) + b"\n"
            append(self._folder(script), text, self._retention)

    def _folder(self, script: Script) -> Path:
        return self._root / script[0] / script[1]

    def _id(self) -> str:
        return f"{time.time_ns():016x}{next(self._numbers) & 0xFFFF:04x}"


_: type[Store] = LogStore
