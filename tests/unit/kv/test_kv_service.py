"""What KV does, asked directly, with a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from selfedge.bindings.kv import errors, limits
from selfedge.bindings.kv.model import PutOptions
from selfedge.bindings.kv.service import INLINE_MAX_BYTES, KVService
from selfedge.errors import StorageError
from selfedge.storage.embedded import EmbeddedStorage

NS = "ns"
SIZES = [0, 1, INLINE_MAX_BYTES, INLINE_MAX_BYTES + 1, 700_000]


class Bench:
    """A service on a storage, with all that a test may want to turn."""

    def __init__(self, storage: EmbeddedStorage) -> None:
        self.now = 1_000_000.5
        self.records = storage.records("kv")
        self.blobs = storage.blobs("kv")
        self.kv = KVService(
            records=self.records, blobs=self.blobs, clock=lambda: self.now
        )

    async def read(self, key: str, namespace: str = NS) -> bytes | None:
        value = await self.kv.get(namespace, key)
        return None if value is None else await value.read()

    async def names(self, **options: object) -> list[str]:
        page = await self.kv.list(NS, **options)  # type: ignore[arg-type]
        return [key.name for key in page.keys]

    async def rows(self) -> int:
        return len(await self.records.scan(b"", b"\xff", 100_000))


def on_a_bench(root: Path, body: Callable[[Bench], Awaitable[None]]) -> None:
    async def main() -> None:
        async with EmbeddedStorage(root) as storage:
            await body(Bench(storage))

    asyncio.run(main())


async def chunks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 65_536):
        yield data[start : start + 65_536]


@pytest.mark.parametrize("size", SIZES)
def test_a_value_of_any_size_comes_back(tmp_path: Path, size: int) -> None:
    data = (bytes(range(256)) * (size // 256 + 1))[:size]

    async def body(bench: Bench) -> None:
        await bench.kv.put(NS, "bytes", data, PutOptions(metadata='{"é":1}'))
        await bench.kv.put(NS, "stream", chunks(data))
        value = await bench.kv.get(NS, "bytes")
        assert value is not None
        assert (value.size, value.metadata) == (size, '{"é":1}')
        assert await value.read() == data
        assert await bench.read("stream") == data

    on_a_bench(tmp_path, body)


def test_namespaces_do_not_mix(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        await bench.kv.put("a", "bk", b"1")
        await bench.kv.put("ab", "k", b"2")
        assert await bench.read("bk", "a") == b"1"
        assert await bench.read("k", "ab") == b"2"
        assert await bench.read("bk", "ab") is None
        assert len((await bench.kv.list("a")).keys) == 1

    on_a_bench(tmp_path, body)


def test_a_key_is_gone_from_get_bulk_and_list_the_moment_it_expires(
    tmp_path: Path,
) -> None:
    async def body(bench: Bench) -> None:
        await bench.kv.put(NS, "ttl", b"1", PutOptions(expiration_ttl=60))
        await bench.kv.put(NS, "at", b"2", PutOptions(expiration=1_000_060))
        await bench.kv.put(NS, "for ever", b"3")
        bench.now = 1_000_059.9
        assert await bench.names() == ["at", "for ever", "ttl"]
        bench.now = 1_000_060.0
        assert await bench.read("ttl") is None
        assert (await bench.kv.bulk_get(NS, ["at", "for ever"]))["at"] is None
        assert await bench.names() == ["for ever"]

    on_a_bench(tmp_path, body)


def test_a_list_tells_when_keys_expire(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        options = PutOptions(expiration_ttl=100, metadata="[1]")
        await bench.kv.put(NS, "k", b"", options)
        (key,) = (await bench.kv.list(NS)).keys
        assert (key.name, key.expiration, key.metadata) == ("k", 1_000_100, "[1]")

    on_a_bench(tmp_path, body)


def test_the_sweep_frees_the_disk_of_what_expired_and_nothing_else(
    tmp_path: Path,
) -> None:
    async def body(bench: Bench) -> None:
        short, long = PutOptions(expiration_ttl=60), PutOptions(expiration_ttl=600)
        for i in range(600):
            await bench.kv.put(NS, f"short {i}", b"1", short)
        await bench.kv.put(NS, "large", b"x" * 100_000, short)
        await bench.kv.put(NS, "prolonged", b"x" * 100_000, short)
        await bench.kv.put(NS, "prolonged", b"x" * 100_001, long)
        await bench.kv.put(NS, "kept for ever", b"1", short)
        await bench.kv.put(NS, "kept for ever", b"1")
        bench.now += 100
        await bench.kv.sweep()
        assert await bench.names() == ["kept for ever", "prolonged"]
        assert len(await bench.blobs.ids()) == 1
        assert await bench.rows() == 4  # two entries, a blob and an expiration
        bench.now += 1000
        await bench.kv.sweep()
        assert await bench.rows() == 1
        assert await bench.blobs.ids() == []

    on_a_bench(tmp_path, body)


def test_a_sweep_that_finds_the_disk_failing_can_be_repeated(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        for i in range(10):
            await bench.kv.put(NS, f"{i}", b"1", PutOptions(expiration_ttl=60))
        bench.now += 100
        bench.records._db.execute("PRAGMA query_only = 1")
        with pytest.raises(StorageError):
            await bench.kv.sweep()
        bench.records._db.execute("PRAGMA query_only = 0")
        await bench.kv.sweep()
        assert await bench.rows() == 0

    on_a_bench(tmp_path, body)


def test_replacing_and_deleting_leave_no_blob_and_no_mark(tmp_path: Path) -> None:
    large = b"x" * (INLINE_MAX_BYTES + 1)

    async def body(bench: Bench) -> None:
        options = PutOptions(expiration_ttl=60)
        for value in (large, large, b"small", large):
            await bench.kv.put(NS, "k", value, options)
        assert len(await bench.blobs.ids()) == 1
        await bench.kv.delete(NS, "k")
        await bench.kv.delete(NS, "k")
        assert await bench.blobs.ids() == []
        assert await bench.rows() == 0

    on_a_bench(tmp_path, body)


def test_writers_of_one_key_leave_one_whole_value(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        async def write(i: int) -> None:
            data = b"%02d" % i * (INLINE_MAX_BYTES if i % 2 else 10)
            options = PutOptions(metadata=str(i), expiration_ttl=60 + i)
            await bench.kv.put(NS, "k", data, options)

        async with asyncio.TaskGroup() as tasks:
            for i in range(32):
                tasks.create_task(write(i + 10))
                tasks.create_task(bench.kv.delete(NS, "k"))
        await bench.kv.put(NS, "k", b"x" * 100_000, PutOptions(expiration_ttl=60))
        assert len(await bench.blobs.ids()) == 1
        assert await bench.rows() == 3

    on_a_bench(tmp_path, body)


def test_a_reader_of_a_value_that_is_replaced_sees_a_whole_one(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        await bench.kv.put(NS, "k", b"0" * 600_000)
        done = False

        async def replace() -> None:
            nonlocal done
            for i in range(20):
                await bench.kv.put(NS, "k", b"%d" % (i % 10) * 600_000)
            done = True

        async def read() -> None:
            while not done:
                data = await bench.read("k")
                assert data is not None
                assert data == data[:1] * 600_000

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(replace())
            tasks.create_task(read())

    on_a_bench(tmp_path, body)


def test_a_cut_upload_keeps_the_old_value(tmp_path: Path) -> None:
    async def cut() -> AsyncIterator[bytes]:
        yield b"x" * 100_000
        raise ConnectionResetError

    async def body(bench: Bench) -> None:
        await bench.kv.put(NS, "k", b"old")
        with pytest.raises(ConnectionResetError):
            await bench.kv.put(NS, "k", cut())
        assert await bench.read("k") == b"old"
        assert await bench.blobs.ids() == []

    on_a_bench(tmp_path, body)


def test_an_entry_that_finds_no_room_keeps_the_old_value_and_no_blob(
    tmp_path: Path,
) -> None:
    async def body(bench: Bench) -> None:
        await bench.kv.put(NS, "k", b"old")
        bench.records._db.execute("PRAGMA query_only = 1")
        with pytest.raises(StorageError):
            await bench.kv.put(NS, "k", b"x" * 100_000)
        bench.records._db.execute("PRAGMA query_only = 0")
        assert await bench.read("k") == b"old"
        assert await bench.blobs.ids() == []

    on_a_bench(tmp_path, body)


def test_blobs_that_a_crash_left_are_removed_and_others_are_not(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        for i in range(300):
            await bench.kv.put(NS, f"k{i}", b"x" * (INLINE_MAX_BYTES + 1))
        await bench.blobs.write(chunks(b"orphan"))
        await bench.kv.remove_orphans()
        assert len(await bench.blobs.ids()) == 300

    on_a_bench(tmp_path, body)


def test_a_value_whose_file_is_missing_is_an_error_that_names_the_key(
    tmp_path: Path,
) -> None:
    async def body(bench: Bench) -> None:
        await bench.kv.put(NS, "the key", b"x" * 100_000)
        for blob in await bench.blobs.ids():
            await bench.blobs.delete(blob)
        with pytest.raises(StorageError, match=r"'the key'.*Put or delete"):
            await bench.kv.get(NS, "the key")
        await bench.kv.put(NS, "the key", b"mended")
        assert await bench.read("the key") == b"mended"

    on_a_bench(tmp_path, body)


def test_lists_are_in_the_order_of_utf_8_and_pages_join_up(tmp_path: Path) -> None:
    names = ["a", "aa", "b", "Z", "é", "\uffff", "😀", "a/b", "~", "\U0010ffff"]

    async def body(bench: Bench) -> None:
        for name in names:
            await bench.kv.put(NS, name, b"")
        expected = sorted(names, key=str.encode)
        assert await bench.names() == expected
        for limit in range(1, len(names) + 1):
            found: list[str] = []
            cursor = None
            while True:
                page = await bench.kv.list(NS, limit=limit, cursor=cursor)
                assert len(page.keys) <= limit
                found += [key.name for key in page.keys]
                cursor = page.cursor
                if cursor is None:
                    break
                assert len(page.keys) == limit
            assert found == expected
        assert await bench.names(prefix="a") == ["a", "a/b", "aa"]
        assert await bench.names(prefix="\U0010ffff") == ["\U0010ffff"]
        assert await bench.names(prefix="none") == []

    on_a_bench(tmp_path, body)


def test_keys_that_expired_leave_no_holes_in_pages(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        for i in range(700):
            dies = PutOptions(expiration_ttl=60) if i % 10 else PutOptions()
            await bench.kv.put(NS, f"{i:03}", b"", dies)
        bench.now += 100
        page = await bench.kv.list(NS, limit=70)
        assert [key.name for key in page.keys] == [f"{i:03}" for i in range(0, 700, 10)]
        assert page.cursor is None

    on_a_bench(tmp_path, body)


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("must not be empty", lambda kv: kv.get(NS, "")),
        ('Illegal key name "."', lambda kv: kv.put(NS, ".", b"")),
        ('Illegal key name ".."', lambda kv: kv.delete(NS, "..")),
        (
            "length of 514 exceeds key length limit of 512.",
            lambda kv: kv.get(NS, "é" * 257),
        ),
        (
            "length of 513 exceeds key length limit of 512.",
            lambda kv: kv.list(NS, prefix="x" * 513),
        ),
        (
            "Invalid cache_ttl of 29. Cache TTL must be at least 30.",
            lambda kv: kv.get(NS, "k", cache_ttl=29),
        ),
        (
            "Invalid expiration_ttl of 59. Expiration TTL must be at least 60.",
            lambda kv: kv.put(NS, "k", b"", PutOptions(expiration_ttl=59)),
        ),
        (
            "Invalid expiration_ttl of 0. Please specify integer greater than 0.",
            lambda kv: kv.put(NS, "k", b"", PutOptions(expiration_ttl=0)),
        ),
        (
            "Invalid expiration_ttl of 9999999999999999.",
            lambda kv: kv.put(NS, "k", b"", PutOptions(expiration_ttl=10**16 - 1)),
        ),
        (
            "Invalid expiration of 1000000. Please specify integer greater than the",
            lambda kv: kv.put(NS, "k", b"", PutOptions(expiration=1_000_000)),
        ),
        (
            "Invalid expiration of 1000059. Expiration times must be at least 60",
            lambda kv: kv.put(NS, "k", b"", PutOptions(expiration=1_000_059)),
        ),
        (
            "Metadata length of 1025 exceeds limit of 1024.",
            lambda kv: kv.put(
                NS, "k", b"", PutOptions(metadata='"' + "é" * 511 + 'x"')
            ),
        ),
        (
            "Metadata must be valid JSON.",
            lambda kv: kv.put(NS, "k", b"", PutOptions(metadata="{")),
        ),
        (
            "Value length of 26214401 exceeds limit of 26214400.",
            lambda kv: kv.put(NS, "k", b"x" * (limits.VALUE_MAX_BYTES + 1)),
        ),
        ("Invalid key_count_limit of 0.", lambda kv: kv.list(NS, limit=0)),
        ("Invalid key_count_limit of 1001.", lambda kv: kv.list(NS, limit=1001)),
        ("Invalid cursor.", lambda kv: kv.list(NS, cursor="?")),
        ("Invalid cursor.", lambda kv: kv.list(NS, cursor="_w==")),
        ("Invalid cursor.", lambda kv: kv.list(NS, cursor="YQ")),
        ("Invalid cursor.", lambda kv: kv.list(NS, cursor="é")),
        ("Invalid cursor.", lambda kv: kv.list(NS, cursor="YWFh" * 200)),
        ("You must request a minimum of 1 key", lambda kv: kv.bulk_get(NS, [])),
        (
            "You can request a maximum of 100 keys",
            lambda kv: kv.bulk_get(NS, ["k"] * 101),
        ),
    ],
)
def test_what_is_outside_the_limits_is_refused(
    tmp_path: Path, message: str, call: Callable[[KVService], Awaitable[object]]
) -> None:
    async def body(bench: Bench) -> None:
        with pytest.raises(errors.KVError) as caught:
            await call(bench.kv)
        assert message in str(caught.value)
        assert await bench.rows() == 0
        assert await bench.blobs.ids() == []

    on_a_bench(tmp_path, body)


def test_a_bulk_get_stops_at_25_mib(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        await bench.kv.put(NS, "a", b"x" * (limits.BULK_MAX_BYTES - 1))
        await bench.kv.put(NS, "b", b"x")
        await bench.kv.put(NS, "c", b"x")
        assert len(await bench.kv.bulk_get(NS, ["a", "b"])) == 2
        with pytest.raises(errors.BulkTooLarge, match="25MB"):
            await bench.kv.bulk_get(NS, ["a", "b", "c"])

    on_a_bench(tmp_path, body)


def test_the_largest_that_is_allowed_is_stored(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        key, metadata = "k" * 512, '"' + "m" * 1022 + '"'
        options = PutOptions(metadata=metadata, expiration_ttl=60)
        await bench.kv.put(NS, key, chunks(b"x" * limits.VALUE_MAX_BYTES), options)
        value = await bench.kv.get(NS, key, cache_ttl=30)
        assert value is not None
        assert (value.size, value.metadata) == (limits.VALUE_MAX_BYTES, metadata)
        await value.aclose()
        assert await bench.names(limit=1000, prefix=key) == [key]

    on_a_bench(tmp_path, body)
