"""A database as its callers see it: one writer, parallel readers, bookmarks."""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from time import monotonic
from typing import Any, TypeVar

from selfedge.bindings.d1.database.bookmarks import Bookmarks
from selfedge.bindings.d1.database.connection import Connection, WritesOnReader
from selfedge.bindings.d1.database.lane import Job, Jobs, Lane
from selfedge.bindings.d1.database.model import Query, Result
from selfedge.bindings.d1.database.usage import Usage
from selfedge.bindings.d1.errors import Closing, NoStatements, Overloaded
from selfedge.bindings.d1.limits import WAITING_MAX, Limits
from selfedge.bindings.d1.sql.statements import is_blank, looks_read_only

T = TypeVar("T")
READERS_MAX = max(2, min(4, os.cpu_count() or 2))


class Database:
    """The SQLite file `path`; made inside the event loop that uses it."""

    def __init__(
        self, path: Path, bookmarks: Bookmarks, limits: Limits, usage: Usage
    ) -> None:
        self.path = path
        self.bookmarks = bookmarks
        self.usage = usage
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._writes: Jobs = SimpleQueue()
        self._reads: Jobs = SimpleQueue()
        self._writer: Lane | None = None
        self._readers: list[Lane] = []
        self._there = False  # the file: a writer has opened it
        self._waiting = 0
        self._reading = 0
        self._used = monotonic()
        self._newest = (0, 0)  # row id and size in bytes, after the last write
        self._closed = False

    async def run(
        self, queries: Sequence[Query], encode: Callable[[Sequence[Result]], T]
    ) -> tuple[T, str]:
        """Run `queries` as one transaction; return what `encode` makes of the results.

        Those of comments alone are left out.

        The second value is the bookmark of a state that they have seen. A write has
        survived SIGKILL of this process when this returns.

        Raises:
            D1Error: one failed; nothing was changed.
        """
        queries = [query for query in queries if not is_blank(query.sql)]
        if not queries:
            raise NoStatements
        if all(looks_read_only(query.sql) for query in queries):
            bookmark = self.bookmarks.current
            with suppress(WritesOnReader):
                return await self._read(queries, encode), bookmark

        def call(writer: Connection) -> tuple[T, bool]:
            results = writer.run(queries)
            self.usage.note(results)
            return encode(results), any(one.changed_db for one in results)

        return await self.write(call, limit_s=self._limits.query_s)

    async def write(
        self,
        call: Callable[[Connection], tuple[T, bool]],
        *,
        limit_s: float | None = None,
    ) -> tuple[T, str]:
        """Have the writer do `call`, which also returns whether it changed anything.

        Without `limit_s` it may take as long as it takes.

        Raises:
            D1Error: it failed.
        """

        def job(writer: Connection) -> tuple[T, str]:
            result, changed = call(writer)
            self._newest = writer.now()
            if changed:
                self.bookmarks.advance()
            return result, self.bookmarks.current

        if self._writer is None:
            self._writer = self._lane("writer", self._writes, writable=True)
        writer = self._writer
        answer: tuple[T, str] = await self._queued(self._writes, job, limit_s)
        self._there = self._writer is writer  # it may have been sent to rest
        return answer

    def stop_late(self) -> None:
        """Interrupt what runs longer than it may."""
        for lane in self._lanes():
            lane.stop_if_late()

    @property
    def idle_s(self) -> float:
        """For how long nobody has asked anything."""
        return 0.0 if self._waiting else monotonic() - self._used

    def rest(self) -> Sequence[Lane]:
        """Tell the threads to end when they have done what waits; return them."""
        lanes = self._lanes()
        if self._writer is not None:
            self._writes.put(None)
        for _ in self._readers:
            self._reads.put(None)
        self._writer, self._readers, self._there = None, [], False
        self._writes, self._reads = SimpleQueue(), SimpleQueue()
        return lanes

    async def close(self) -> None:
        """Let what runs end, but no long job; then close the file."""
        self._closed = True
        lanes = self.rest()
        for lane in lanes:
            lane.stop(Closing())
        for lane in lanes:
            await asyncio.to_thread(lane.join)

    async def _read(
        self, queries: Sequence[Query], encode: Callable[[Sequence[Result]], T]
    ) -> T:
        if not self._there:  # the writer makes the file
            await self.write(lambda _: (None, False))
        if self._reading >= len(self._readers) < READERS_MAX:
            self._readers.append(self._lane("reader", self._reads, writable=False))

        def call(reader: Connection) -> T:
            results = reader.run(queries)
            self.usage.note(results)
            return encode(results)

        self._reading += 1
        try:
            result: T = await self._queued(self._reads, call, self._limits.query_s)
        finally:
            self._reading -= 1
        return result

    async def _queued(
        self, jobs: Jobs, call: Callable[[Connection], Any], limit_s: float | None
    ) -> Any:
        if self._closed:
            raise Closing
        if self._waiting >= WAITING_MAX:
            raise Overloaded
        done: asyncio.Future[Any] = self._loop.create_future()
        self._waiting += 1
        self._used = monotonic()
        try:
            jobs.put(Job(call, done, limit_s))
            return await done
        finally:
            self._waiting -= 1

    def _lane(self, kind: str, jobs: Jobs, *, writable: bool) -> Lane:
        def opened() -> Connection:
            most = self._limits.database_bytes
            one = Connection(self.path, writable=writable, most_bytes=most)
            if not writable:
                one.newest = lambda: self._newest
            return one

        name = f"d1 {kind} of {self.path.parent.name}"
        return Lane(name, opened, jobs, self._loop)

    def _lanes(self) -> list[Lane]:
        return [*self._readers, *([self._writer] if self._writer else [])]
