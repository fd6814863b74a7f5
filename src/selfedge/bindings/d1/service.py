"""What D1 does, whoever asks: a Worker, the control API or a test."""

import asyncio
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from time import monotonic
from typing import TypeVar

from selfedge.bindings.d1.compile import from_resource
from selfedge.bindings.d1.database import copies
from selfedge.bindings.d1.database.bookmarks import Bookmarks
from selfedge.bindings.d1.database.connection import Connection
from selfedge.bindings.d1.database.database import Database
from selfedge.bindings.d1.database.model import Query, Result
from selfedge.bindings.d1.database.snapshots import Snapshot, Snapshots
from selfedge.bindings.d1.database.usage import Usage
from selfedge.bindings.d1.errors import (
    D1Error,
    Damaged,
    DiskFailed,
    NoSnapshot,
    UnknownDatabase,
)
from selfedge.bindings.d1.limits import Limits
from selfedge.bindings.d1.registry import FILE, Entry, Registry
from selfedge.types import Clock, Notice

T = TypeVar("T")

SNAPSHOT_INTERVAL_S = 900.0
IDLE_S = 300.0
_TICK_MAX_S = 0.5
_MICRO = 1_000_000


@dataclass(slots=True)
class _Open:
    """A database in use."""

    database: Database
    snapshots: Snapshots
    newest_us: int  # time of the newest snapshot
    looked: float = 0.0  # when a snapshot was last thought of


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What time travel did."""

    bookmark: str  # the state that the database has again
    previous: str  # the state before, which can be restored, too
    exact: bool  # whether `bookmark` is the one that was asked for


class D1Service:
    """All databases under `home`; made inside the event loop that uses it."""

    def __init__(
        self,
        home: Path,
        *,
        clock: Clock,
        notice: Notice,
        new_id: Callable[[], str],
        limits: Limits | None = None,
    ) -> None:
        self.home = home
        self.registry = Registry(home, clock=clock, new_id=new_id, notice=notice)
        self.clock = clock
        self._notice = notice
        self._limits = limits or Limits()
        self._open: dict[str, _Open] = {}
        self._bound: dict[str, str] = {}  # resource → id
        self._copying: asyncio.Task[None] | None = None  # a snapshot by routine
        self.stopping = Event()

    def bound(self, resources: Iterable[str]) -> None:
        """Make the databases that Workers may use from now on."""
        for resource in resources:
            entry = self.registry.ensure(*from_resource(resource))
            self._bound[resource] = entry.uuid

    async def query(
        self,
        resource: str,
        queries: Sequence[Query],
        encode: Callable[[Sequence[Result]], T],
    ) -> tuple[T, str]:
        """Run what a Worker asks of its binding; see `Database.run`.

        Raises:
            D1Error: it failed.
        """
        return await self.database(self.bound_id(resource)).run(queries, encode)

    def bound_id(self, resource: str) -> str:
        """Return the id of the database that `resource` is bound to."""
        if resource not in self._bound:
            self.bound([resource])
        return self._bound[resource]

    def database(self, uuid: str) -> Database:
        """Return a database, opened if it is not yet.

        Raises:
            UnknownDatabase: there is none of that id.
        """
        return self._opened(uuid).database

    async def delete(self, entry: Entry) -> None:
        """Remove a database and all its snapshots."""
        if (one := self._open.pop(entry.uuid, None)) is not None:
            await one.database.close()
        if self.registry.get(entry.uuid) is not None:
            await asyncio.to_thread(self.registry.remove, entry)

    async def described(self, entry: Entry) -> tuple[int, int]:
        """Return the number of tables, and the size in bytes."""
        path = self.registry.folder(entry.uuid) / FILE
        return await asyncio.to_thread(copies.described, path)

    async def bookmark(self, uuid: str, time_us: int | None = None) -> str:
        """Return a bookmark that can be restored: of now, or of the time before.

        Raises:
            NoSnapshot: there is nothing that old.
            D1Error: the disk is full.
        """
        one = self._opened(uuid)
        marks = one.database.bookmarks
        if time_us is None or time_us >= marks.time_us:
            return await self._snapshot(one, kept=True)
        found = await asyncio.to_thread(one.snapshots.at, time_us)
        return marks.name(_there(found).time_us)

    async def restore(self, uuid: str, bookmark: str) -> Restored:
        """Make a database what it was at `bookmark`, or at the snapshot before.

        Raises:
            NoSnapshot: there is nothing that old, or the bookmark is another's.
            D1Error: the disk is full; nothing was changed.
        """
        one = self._opened(uuid)
        marks = one.database.bookmarks
        wanted = marks.read(bookmark)
        if wanted is None:
            raise NoSnapshot(
                f"{bookmark[:80]!r} is no bookmark of this database; see the one of"
                " now with: selfedge d1 time-travel info"
            )
        try:
            previous = await self._snapshot(one, kept=True)
            found = _there(await asyncio.to_thread(one.snapshots.at, wanted))
            await one.database.write(partial(_put_back, found.path))
        except Damaged:
            previous = ""
            found = _there(await asyncio.to_thread(one.snapshots.at, wanted))
            await self._replace(uuid, found.path)
        restored = marks.name(found.time_us)
        return Restored(
            bookmark=restored, previous=previous, exact=found.time_us == wanted
        )

    async def _replace(self, uuid: str, snapshot: Path) -> None:
        """Put a snapshot in the place of a file that cannot be opened any more."""
        one = self._open.pop(uuid)
        await one.database.close()
        await asyncio.to_thread(_replaced, one.database.path, snapshot)

    async def pinned(self, uuid: str) -> tuple[copies.Pinned, str]:
        """Return a connection that keeps seeing the state of now, and its bookmark."""
        return await self.database(uuid).write(
            lambda writer: (copies.pinned(writer), False)
        )

    async def tend(self) -> None:
        """Stop what runs too long, rest what is idle, take snapshots; runs for ever."""
        while True:
            await asyncio.sleep(min(_TICK_MAX_S, self._limits.query_s / 4))
            for one in list(self._open.values()):
                one.database.stop_late()
                if one.database.idle_s > IDLE_S:
                    one.database.rest()
                if monotonic() - one.looked > SNAPSHOT_INTERVAL_S and (
                    self._copying is None or self._copying.done()
                ):
                    one.looked = monotonic()
                    self._copying = asyncio.create_task(self._routine(one))

    async def close(self) -> None:
        """Finish what is under way and close all files."""
        self.stopping.set()
        await asyncio.gather(*(one.database.close() for one in self._open.values()))
        self._open.clear()
        if self._copying is not None:
            await asyncio.wait({self._copying})

    async def _routine(self, one: _Open) -> None:
        size = one.database.path.stat().st_size if one.database.path.exists() else 0
        free = shutil.disk_usage(self.home).free
        if one.newest_us == one.database.bookmarks.time_us or free < 2 * size:
            return
        try:
            await self._snapshot(one, kept=False)
        except D1Error as error:
            self._notice(f"D1: no snapshot of {one.database.path.parent.name}: {error}")

    async def _snapshot(self, one: _Open, *, kept: bool) -> str:
        """Copy the state of now, unless there is a copy; return its bookmark."""

        def pin(writer: Connection) -> tuple[tuple[copies.Pinned, int], bool]:
            return (copies.pinned(writer), one.database.bookmarks.time_us), False

        (source, time_us), bookmark = await one.database.write(pin)
        await asyncio.to_thread(
            _copied, source, one.snapshots, time_us, self.stopping, kept=kept
        )
        one.newest_us = max(one.newest_us, time_us)
        now_us = int(self.clock() * _MICRO)
        with suppress(OSError):
            await asyncio.to_thread(one.snapshots.thin, now_us)
        return bookmark

    def _opened(self, uuid: str) -> _Open:
        if uuid in self._open:
            return self._open[uuid]
        if self.registry.get(uuid) is None:
            raise UnknownDatabase(uuid)
        folder = self.registry.folder(uuid)
        snapshots = Snapshots(folder / "snapshots")
        newest = max((one.time_us for one in snapshots.all()), default=0)
        after = max(newest, _written_us(folder))
        marks = Bookmarks(uuid, self.clock, after_us=after)
        database = Database(folder / FILE, marks, self._limits, Usage(self.clock))
        self._open[uuid] = _Open(database, snapshots, newest, monotonic())
        return self._open[uuid]


def _copied(
    source: copies.Pinned,
    snapshots: Snapshots,
    time_us: int,
    stop: Event,
    *,
    kept: bool,
) -> None:
    """Write what `source` sees as the snapshot of a time, unless there is one."""
    found = snapshots.at(time_us)
    path = snapshots.path(time_us, kept=kept)
    if found is None or found.time_us != time_us:
        copies.write_copy(source, path, stop)
        return
    source.close()
    if kept and not found.kept:
        found.path.replace(path)


def _put_back(snapshot: Path, writer: Connection) -> tuple[None, bool]:
    copies.read_copy(writer, snapshot)
    writer.measure()
    return None, True


def _replaced(path: Path, snapshot: Path) -> None:
    """Put `snapshot` in the place of a damaged file, which stays beside it."""
    fresh = path.with_suffix(".restored")
    try:
        shutil.copyfile(snapshot, fresh)
        for old in path.parent.glob(f"{FILE}*"):
            old.replace(old.with_name(f"damaged-{old.name}"))
        fresh.replace(path)
    except OSError as error:
        raise DiskFailed(path.parent, error) from error


def _written_us(folder: Path) -> int:
    """Return when a database was last written, as its files say."""
    times = (path.stat().st_mtime_ns for path in folder.glob(f"{FILE}*"))
    return max(times, default=0) // 1000


def _there(found: Snapshot | None) -> Snapshot:
    if found is None:
        raise NoSnapshot(
            "There is no snapshot that old. One is taken every"
            f" {SNAPSHOT_INTERVAL_S / 60:g} minutes while a database changes, before"
            " imports and restores, and when its bookmark is asked for."
        )
    return found
