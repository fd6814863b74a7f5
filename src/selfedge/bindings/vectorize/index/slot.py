"""An index and its threads: one that writes, in the order of asking, some that read."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from selfedge.bindings.vectorize.engine.contract import (
    EngineDied,
    EngineFailure,
    Hit,
)
from selfedge.bindings.vectorize.errors import IndexFailed
from selfedge.bindings.vectorize.index.crowd import Crowd
from selfedge.bindings.vectorize.index.index import Index
from selfedge.bindings.vectorize.index.model import Query
from selfedge.bindings.vectorize.index.queries import Found
from selfedge.bindings.vectorize.index.rebuild import Rebuild, is_due
from selfedge.types import Notice

T = TypeVar("T")

READERS = 4
QUIET_S = 2.0  # without writes, before the index is looked at
BUSY_MAX_S = 60.0  # or so long after the first of many writes
IDLE_S = 600.0  # unused for so long, an index's process ends until it is needed


class Slot:
    """One index in use."""

    def __init__(self, index: Index, notice: Notice, building: asyncio.Lock) -> None:
        self.index = index
        self.warned: set[str] = set()  # properties that filters named in vain
        self._notice = notice
        self._building = building
        self._loop = asyncio.get_running_loop()
        self._writer = ThreadPoolExecutor(1, "vectorize-writer")
        self._readers = ThreadPoolExecutor(READERS, "vectorize-reader")
        self._timer: asyncio.TimerHandle | None = None
        self._first = self._last = 0.0  # writes since the timer was set
        self._used = 0.0
        self._idle: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[bool] | None = None
        self._rebuild: Rebuild | None = None
        self._ended = asyncio.Event()  # no rebuild runs
        self._ended.set()
        self._stopped = False
        self._crowd = Crowd(self._query)

    async def query(self, query: Query) -> Sequence[Hit]:
        """Return what is near, nearest first.

        Raises:
            WrongQueryWidth, UnknownVector, IndexFailed: as they say.
            EngineDied: the engine's process is gone; asking again may succeed.
        """
        if query.return_values:  # it takes longer: others do not wait for it
            return await Crowd(self._query).query(query)
        return await self._crowd.query(query)

    async def write(self, call: Callable[[], T]) -> T:
        """Run `call` after all writes that were asked for before.

        Raises:
            IndexFailed: the engine's process was killed, and again.
        """
        self._use()
        try:
            result = await self._loop.run_in_executor(self._writer, call)
        except EngineDied as cause:
            raise IndexFailed(self.index.name, f"could not write: {cause}") from cause
        self._written()
        return result

    async def read(self, call: Callable[[Index], T]) -> T:
        """Run `call` on the index, open.

        Raises:
            EngineDied: the engine's process is gone; reading again may succeed.
        """
        self._use()
        if not self.index.opened:
            await self._loop.run_in_executor(self._writer, self.index.open)
            self._written()
        return await self._loop.run_in_executor(
            self._readers, partial(call, self.index)
        )

    async def rebuild(self, *, forced: bool = False) -> bool:
        """Sort the index into a graph if that is due; return whether it was done.

        Raises:
            IndexFailed: it failed; the index is as it was.
        """
        async with self._building:
            if self._stopped:
                return False
            try:
                due = forced or await self.read(is_due)
                if self._stopped or not due:
                    return False
                self._ended.clear()
                self._rebuild = Rebuild(self.index, self._on_writer)
                return await asyncio.to_thread(self._rebuild.run)
            except (EngineFailure, OSError) as cause:
                if self._stopped:
                    return False
                reason = f"could not be compacted: {cause}"
                raise IndexFailed(self.index.name, reason) from cause
            finally:
                self._rebuild = None
                self._ended.set()

    async def stop(self) -> None:
        """Begin to close: end what runs in the background."""
        self._stopped = True
        for timer in (self._timer, self._idle):
            if timer:
                timer.cancel()
        if self._rebuild:
            self._rebuild.stop()
        await self._ended.wait()

    async def close(self) -> None:
        """Finish the writes in hand and release the index."""
        await self.stop()
        if self._task:
            await asyncio.gather(self._task, return_exceptions=True)
        await self._loop.run_in_executor(self._writer, self.index.release)
        self._writer.shutdown()
        self._readers.shutdown()

    async def _query(self, asked: Sequence[Query]) -> Sequence[Found]:
        return await self.read(lambda index: index.query(asked))

    def _use(self) -> None:
        self._used = time.monotonic()
        if self._idle is None and not self._stopped:
            self._idle = self._loop.call_later(IDLE_S, self._rest)

    def _rest(self) -> None:
        """Release the index when nobody has used it for long."""
        left = self._used + IDLE_S - time.monotonic()
        if left > 0 or self._building.locked():
            self._idle = self._loop.call_later(max(left, QUIET_S), self._rest)
            return
        self._idle = None
        self._loop.run_in_executor(self._writer, self.index.release)

    def _written(self) -> None:
        self._last = time.monotonic()
        if self._timer is None and not self._stopped:
            self._first = self._last
            self._timer = self._loop.call_later(QUIET_S, self._look)

    def _look(self) -> None:
        """Rebuild when the writes have ended, or have gone on for long."""
        now = time.monotonic()
        wait = self._last + QUIET_S - now
        if wait > 0 and now - self._first < BUSY_MAX_S:
            self._timer = self._loop.call_later(wait, self._look)
            return
        self._timer = None
        if self._task is None or self._task.done():
            self._task = self._loop.create_task(self._in_background())

    async def _in_background(self) -> bool:
        try:
            return await self.rebuild()
        except IndexFailed as failure:
            self._notice(str(failure))
            return False

    def _on_writer(self, call: Callable[[], None]) -> None:
        self._writer.submit(call).result()
