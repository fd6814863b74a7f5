"""What the store forgets, keeps and survives."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from cache_node import KIB, SMALL, Time, fresh_node, node, read, response

from selfedge.bindings.cache.store.entry import Content
from selfedge.bindings.cache.store.memory import Memory, weight
from selfedge.errors import StorageError
from selfedge.storage.contract import Blobs, Records
from selfedge.storage.embedded import EmbeddedStorage

LARGE = 50 * KIB


class FailingStorage(EmbeddedStorage):
    """Real storage, until its disk is `full`."""

    full = False

    def records(self, name: str) -> Records:  # type: ignore[override]
        return FailingRecords(super().records(name), self)

    def blobs(self, name: str) -> Blobs:  # type: ignore[override]
        return FailingBlobs(super().blobs(name), self)


class FailingRecords:
    def __init__(self, real: Records, storage: FailingStorage) -> None:
        self._storage = storage
        self.get = real.get
        self.scan = real.scan
        self._write = real.write

    async def write(
        self, puts: Iterable[tuple[bytes, bytes]] = (), deletes: Iterable[bytes] = ()
    ) -> None:
        if self._storage.full:
            raise StorageError("the disk is full")
        await self._write(puts, deletes)


class FailingBlobs:
    def __init__(self, real: Blobs, storage: FailingStorage) -> None:
        self._storage = storage
        self.read = real.read
        self.delete = real.delete
        self.ids = real.ids
        self._write = real.write

    async def write(self, chunks: AsyncIterator[bytes]) -> tuple[str, int]:
        if self._storage.full:
            raise StorageError("the disk is full")
        return await self._write(chunks)


def test_least_recently_used_go_first(tmp_path: Path) -> None:
    """Bytes on disk are bounded; what was matched lately stays."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            for name in "abc":
                await cache.put(name, response(bytes(LARGE)))
            assert await cache.body("a") is not None
            for name in "de":
                await cache.put(name, response(bytes(LARGE)))
            await cache.entries.flush()
            kept = [name for name in "abcde" if await cache.body(name) is not None]
            assert kept == ["a", "d", "e"]
            assert await cache.blobs() == 3

    asyncio.run(run())


def test_entry_larger_than_the_cache_is_not_kept(tmp_path: Path) -> None:
    """It pushes out everything, then itself; no file is left."""

    async def run() -> None:
        bounds = replace(SMALL, disk_bytes=10 * KIB)
        async with fresh_node(tmp_path, bounds) as cache:
            await cache.put("a", response(bytes(LARGE)))
            assert await cache.match("a") is None
            await cache.entries.flush()
            assert await cache.blobs() == 0

    asyncio.run(run())


def test_smaller_bound_after_restart(tmp_path: Path) -> None:
    """A cache that was given less room forgets its oldest."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            for name in "abc":
                await cache.put(name, response(bytes(LARGE)))
        async with fresh_node(tmp_path, replace(SMALL, disk_bytes=60 * KIB)) as cache:
            assert await cache.match("a") is None
            assert await cache.body("c") is not None
            await cache.entries.flush()
            assert await cache.blobs() == 1

    asyncio.run(run())


def test_memory_is_bounded_and_disk_answers(tmp_path: Path) -> None:
    """More than memory holds is still there, from disk."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            for number in range(20):
                await cache.put(f"{number}", response(bytes([number]) * 4 * KIB))
            await cache.entries.flush()
            for number in range(20):
                assert await cache.body(f"{number}") == bytes([number]) * 4 * KIB

    asyncio.run(run())


def test_many_puts_wait_for_the_disk(tmp_path: Path) -> None:
    """Unwritten entries are bounded: a put beyond that writes them."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            for number in range(17):
                await cache.put(f"{number}", response(bytes(4 * KIB)))
            rows = await cache.storage.records("cache").scan(b"i", b"j", 100)
            assert len(rows) >= 14

    asyncio.run(run())


def test_overwritten_before_the_disk_is_never_written(tmp_path: Path) -> None:
    """Only the last of many puts costs a write."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            for number in range(100):
                await cache.put("a", response(b"%d" % number))
            await cache.entries.flush()
            rows = await cache.storage.records("cache").scan(b"", b"\xff", 100)
            assert len(rows) == 2

    asyncio.run(run())


def test_writes_happen_by_themselves(tmp_path: Path) -> None:
    """The background writer flushes after its delay, without being asked."""

    async def run() -> None:
        bounds = replace(SMALL, write_delay_s=0)
        async with fresh_node(tmp_path, bounds) as cache:
            await cache.put("a", response(b"x"))
            async with asyncio.timeout(5):
                records = cache.storage.records("cache")
                while not await records.scan(b"i", b"j", 1):
                    pass  # a scan lets others run

    asyncio.run(run())


def test_sweep_removes_the_stale(tmp_path: Path) -> None:
    """Expired entries go without anybody asking for them."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            await cache.put("a", response(bytes(LARGE), ttl_s=5))
            await cache.put("b", response(b"x", ttl_s=50))
            await cache.entries.flush()
            cache.clock.now += 10
            cache.entries.sweep()
            await cache.entries.flush()
            assert await cache.blobs() == 0
            rows = await cache.storage.records("cache").scan(b"i", b"j", 9)
            assert len(rows) == 1
            assert await cache.body("b") == b"x"

    asyncio.run(run())


def test_crash_loses_at_most_what_was_not_flushed(tmp_path: Path) -> None:
    """Without a last flush, the rest is whole, purged stays purged, no orphans."""

    async def run() -> None:
        async with EmbeddedStorage(tmp_path) as storage, node(storage) as cache:
            await cache.put("kept", response(b"kept"))
            await cache.put("purged", response(bytes(LARGE)))
            await cache.put("replaced", response(bytes(LARGE)))
            await cache.entries.flush()
            assert await cache.purge("purged")
            await cache.put("lost", response(bytes(LARGE)))
            await cache.put("replaced", response(b"new"))
            async with node(storage) as after:  # as it stands on disk now
                assert await after.body("kept") == b"kept"
                assert await after.match("purged") is None
                assert await after.match("lost") is None
                assert await after.body("replaced") == bytes(LARGE)
                await after.entries.flush()
                assert await after.blobs() == 1

    asyncio.run(run())


def test_damaged_rows_are_dropped(tmp_path: Path) -> None:
    """A row or file that is damaged or missing is a miss, never an error."""

    async def run() -> None:
        async with EmbeddedStorage(tmp_path) as storage:
            async with node(storage) as cache:
                for name in ("index", "content", "blob", "short"):
                    size = 5 if name in ("index", "content") else LARGE
                    await cache.put(name, response(bytes(size)))
            records, blobs = storage.records("cache"), tmp_path / "cache" / "blobs"
            rows = await records.scan(b"", b"\xff", 99)
            content, _, _, _, index = rows[1], *rows[2:5], rows[4]
            await records.write([(index[0], b"?"), (content[0], b"?")])
            async with node(storage) as cache:
                assert await cache.match("index") is None
                assert await cache.match("content") is None
                for file in blobs.iterdir():
                    file.write_bytes(b"short")
                hit = await cache.match("short")
                assert hit is not None
                with pytest.raises(StorageError, match="too early"):
                    await read(hit)
                for file in blobs.iterdir():
                    file.unlink()
                assert await cache.match("blob") is None
                assert await cache.match("blob") is None
            async with node(storage) as cache:
                assert await cache.match("short") is None

    asyncio.run(run())


class SlowBlobs(FailingBlobs):
    """Blobs whose listing is only returned when `listed` is set."""

    def __init__(self, real: Blobs, storage: "SlowStorage") -> None:
        super().__init__(real, storage)
        self._real_ids, self._listed = real.ids, storage.listed
        self.ids = self._slow_ids

    async def _slow_ids(self) -> Sequence[str]:
        await self._listed.wait()
        return await self._real_ids()


class SlowStorage(FailingStorage):
    """Real storage that takes its time to list blobs."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.listed = asyncio.Event()

    def blobs(self, name: str) -> Blobs:  # type: ignore[override]
        return SlowBlobs(EmbeddedStorage.blobs(self, name), self)


def test_calls_wait_for_the_entries_of_the_last_run(tmp_path: Path) -> None:
    """What comes while they are read neither misses them nor is lost."""

    async def run() -> None:
        async with EmbeddedStorage(tmp_path) as storage, node(storage) as cache:
            await cache.put("old", response(b"old"))
            await cache.put("purged", response(b"x"))
        async with SlowStorage(tmp_path) as slow, node(slow) as cache:
            async with asyncio.TaskGroup() as tasks:
                old = tasks.create_task(cache.body("old"))
                purged = tasks.create_task(cache.purge("purged"))
                tasks.create_task(cache.put("new", response(b"n" * LARGE)))
                await asyncio.sleep(0)
                assert not old.done()
                assert not purged.done()
                slow.listed.set()
            await cache.entries.flush()
            assert (old.result(), purged.result()) == (b"old", True)
            assert await cache.body("new") == b"n" * LARGE

    asyncio.run(run())


class HeldBlobs(FailingBlobs):
    """Blobs whose writes end only when `release` is set."""

    def __init__(self, real: Blobs, storage: "HeldStorage") -> None:
        super().__init__(real, storage)
        self._held = storage

    async def write(self, chunks: AsyncIterator[bytes]) -> tuple[str, int]:
        written = await self._write(chunks)
        self._held.written.set()
        await self._held.release.wait()
        return written


class HeldStorage(FailingStorage):
    """Real storage that holds back the end of blob writes."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.written, self.release = asyncio.Event(), asyncio.Event()

    def blobs(self, name: str) -> Blobs:  # type: ignore[override]
        return HeldBlobs(EmbeddedStorage.blobs(self, name), self)


@pytest.mark.parametrize("instead", [None, response(b"new")])
def test_removed_while_it_is_written(tmp_path: Path, instead: bytes | None) -> None:
    """An entry that goes during its flush leaves neither row nor file."""

    async def run() -> None:
        async with HeldStorage(tmp_path) as storage, node(storage) as cache:
            async with asyncio.TaskGroup() as tasks:
                await cache.put("a", response(bytes(6 * KIB)))
                tasks.create_task(cache.entries.flush())
                await storage.written.wait()
                if instead is None:
                    purged = tasks.create_task(cache.purge("a"))
                    await asyncio.sleep(0)
                    assert not purged.done()
                else:
                    await cache.put("a", instead)
                storage.release.set()
            await cache.entries.flush()
            assert await cache.blobs() == 0
            rows = await storage.records("cache").scan(b"", b"\xff", 9)
            assert len(rows) == (0 if instead is None else 2)

    asyncio.run(run())


def test_many_deletions(tmp_path: Path) -> None:
    """However many entries go at once, all leave the disk."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            for number in range(300):
                await cache.put(f"{number}", response(b"x"))
            await cache.entries.flush()
            cache.clock.now += 60
            cache.entries.sweep()
            await cache.entries.flush()
            assert await cache.storage.records("cache").scan(b"", b"\xff", 9) == []

    asyncio.run(run())


def test_purge_of_the_stale_removes_nothing_that_counts(tmp_path: Path) -> None:
    """What nobody could have matched any more was not there."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            await cache.put("a", response(b"x"))
            cache.clock.now += 60
            assert not await cache.purge("a")

    asyncio.run(run())


def test_memory_keeps_the_recently_used() -> None:
    """Bytes are bounded; a number that is dropped or pushed out is gone."""
    content = Content(
        status=200, reason=b"", fields=b"", birth=0, length=100, body=bytes(100)
    )
    memory = Memory(capacity_bytes=2 * weight(content))
    for number in (1, 2):
        memory.put(number, content)
    assert memory.get(1) is content
    memory.put(3, content)
    assert [memory.get(number) is content for number in (1, 2, 3)] == [
        True,
        False,
        True,
    ]
    memory.drop(1)
    memory.drop(2)
    assert memory.get(1) is None
    assert memory.size_bytes == weight(content)


def test_full_disk(tmp_path: Path) -> None:
    """Small entries are forgotten at the flush, said once; large ones raise."""

    async def run() -> None:
        async with (
            FailingStorage(tmp_path) as storage,
            node(storage, clock=Time()) as cache,
        ):
            await cache.put("old", response(bytes(LARGE)))
            await cache.entries.flush()
            storage.full = True
            await cache.put("a", response(b"x"))
            await cache.put("b", response(bytes(6 * KIB)))
            assert await cache.body("a") == b"x"
            await cache.entries.flush()
            await cache.entries.flush()
            assert await cache.match("a") is None
            assert await cache.match("b") is None
            assert await cache.body("old") == bytes(LARGE)
            assert len(cache.notices) == 1
            assert "the disk is full" in cache.notices[0]
            with pytest.raises(StorageError):
                await cache.put("c", response(bytes(LARGE)))
            assert await cache.purge("old")
            storage.full = False
            await cache.put("a", response(b"again"))
            await cache.entries.flush()
            assert await cache.body("a") == b"again"
            assert await cache.blobs() == 0
            assert len(await storage.records("cache").scan(b"i", b"j", 9)) == 1

    asyncio.run(run())
