"""match, put and purge on real storage."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from cache_node import KIB, SMALL, Node, Time, fresh_node, node, read, response

from selfedge.bindings.cache.limits import VARIANTS_MAX
from selfedge.bindings.cache.rfc9111.freshness import Refused
from selfedge.storage.embedded import EmbeddedStorage

SIZES = [0, 5, KIB, 6 * KIB, 50 * KIB]  # empty, inline, blob in memory, blob on disk


def pattern(size: int) -> bytes:
    return bytes(number * 7 % 251 for number in range(size))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("chunk", [7, 1000, 10**6])
def test_put_then_match(tmp_path: Path, size: int, chunk: int) -> None:
    """A body of any size comes back as it was, however the network cut it."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            raw = response(pattern(size), Content_Type="text/x")
            chunks = [raw[at : at + chunk] for at in range(0, len(raw), chunk)]
            assert await cache.put("a", chunks) is None
            hit = await cache.match("a")
            assert hit is not None
            assert (hit.status, hit.reason, hit.length) == (200, b"Fine", size)
            assert (
                hit.fields == b"Content-Type: text/x\r\nCache-Control: max-age=60\r\n"
            )
            assert await read(hit) == pattern(size)
            assert await cache.match("b") is None

    asyncio.run(run())


def test_age_grows_until_stale(tmp_path: Path) -> None:
    """`Age` counts from what the response came with, and ends at the lifetime."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            await cache.put("a", response(b"x", ttl_s=60, Age="20"))
            cache.clock.now += 39
            hit = await cache.match("a")
            assert hit is not None
            assert hit.age_s == 59
            cache.clock.now += 1
            assert await cache.match("a") is None
            assert not await cache.purge("a")

    asyncio.run(run())


def test_refused_responses_leave_what_was_there(tmp_path: Path) -> None:
    """A response that may not be stored replaces nothing."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            await cache.put("a", response(b"old"))
            for raw in (
                response(b"new", Cache_Control="no-store"),
                response(b"new", Set_Cookie="a=b"),
                response(b"new", Vary="*"),
                response(b"new", status=206),
                response(b"new", status=204),
                response(b"new")[:-1],
                response(b"new") + b"!",
                b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                b"HTTP/1.1 200 OK\r\nContent-Le",
                b"nonsense\r\n\r\n",
                b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 60_000,
                b"",
            ):
                assert isinstance(await cache.put("a", raw), Refused)
            assert await cache.body("a") == b"old"

    asyncio.run(run())


def test_cookie_is_left_out(tmp_path: Path) -> None:
    """`private=Set-Cookie` stores the response without it."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            control = "private=Set-Cookie, max-age=9"
            raw = response(b"x", Set_Cookie="a=b", Cache_Control=control)
            assert await cache.put("a", raw) is None
            hit = await cache.match("a")
            assert hit is not None
            assert b"a=b" not in hit.fields

    asyncio.run(run())


def test_variants(tmp_path: Path) -> None:
    """Requests select by the headers that `Vary` names; purge removes all."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            german, english = {"accept-language": "de"}, {"accept-language": "en"}
            await cache.put("a", response(b"hallo", Vary="Accept-Language"), german)
            await cache.put("a", response(b"hello", Vary="Accept-Language"), english)
            assert await cache.body("a", german) == b"hallo"
            assert await cache.body("a", english) == b"hello"
            assert await cache.body("a") is None
            await cache.put("a", response(b"moin", Vary="Accept-Language"), german)
            assert await cache.body("a", german) == b"moin"
            assert await cache.purge("a")
            assert await cache.body("a", german) is None
            assert await cache.body("a", english) is None

    asyncio.run(run())


def test_variants_are_bounded(tmp_path: Path) -> None:
    """One URL keeps the newest variants."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            for number in range(VARIANTS_MAX + 1):
                raw = response(b"%d" % number, Vary="X-N")
                await cache.put("a", raw, {"x-n": str(number)})
            assert await cache.body("a", {"x-n": "0"}) is None
            assert await cache.body("a", {"x-n": "1"}) == b"1"
            assert await cache.body("a", {"x-n": str(VARIANTS_MAX)}) is not None

    asyncio.run(run())


@pytest.mark.parametrize("size", SIZES[1:])
def test_ranges(tmp_path: Path, size: int) -> None:
    """A range is 206 with its place; one beyond the end is 416; a miss stays one."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            await cache.put("a", response(pattern(size), ETag='"e"'))
            hit = await cache.match("a", {"range": "bytes=2-3"})
            assert hit is not None
            assert (hit.status, hit.length) == (206, 2)
            assert hit.content_range == f"bytes 2-3/{size}"
            assert await read(hit) == pattern(size)[2:4]
            assert await cache.body("a", {"range": "bytes=-4"}) == pattern(size)[-4:]
            assert await cache.body("a", {"range": "bytes=0-1,3-4"}) == pattern(size)
            beyond = await cache.match("a", {"range": f"bytes={size}-"})
            assert beyond is not None
            assert (beyond.status, beyond.content_range) == (416, f"bytes */{size}")
            stale = {"range": "bytes=2-3", "if-range": '"other"'}
            assert await cache.body("a", stale) == pattern(size)
            same = {"range": "bytes=2-3", "if-range": '"e"'}
            assert await cache.body("a", same) == pattern(size)[2:4]
            assert await cache.match("b", {"range": "bytes=0-"}) is None

    asyncio.run(run())


@pytest.mark.parametrize("size", SIZES)
def test_conditionals(tmp_path: Path, size: int) -> None:
    """A client that has the response gets 304 without a body, before any range."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            await cache.put("a", response(pattern(size), ETag='"e"'))
            asked = {"if-none-match": 'W/"e"', "range": "bytes=0-0"}
            hit = await cache.match("a", asked)
            assert hit is not None
            assert (hit.status, hit.length, await read(hit)) == (304, 0, b"")
            assert b'ETag: "e"' in hit.fields
            assert await cache.body("a", {"if-none-match": '"f"'}) == pattern(size)

    asyncio.run(run())


def test_conditions_and_ranges_are_for_successes(tmp_path: Path) -> None:
    """A stored 404 is answered as it is."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            await cache.put("a", response(b"none", status=404, ETag='"e"'))
            hit = await cache.match("a", {"if-none-match": "*", "range": "bytes=0-0"})
            assert hit is not None
            assert (hit.status, await read(hit)) == (404, b"none")

    asyncio.run(run())


@pytest.mark.parametrize("piece", [999, 10**6])
@pytest.mark.parametrize("declared", [True, False])
def test_too_large(tmp_path: Path, piece: int, *, declared: bool) -> None:
    """A body over the limit is refused and leaves nothing on disk."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            raw = response(bytes(SMALL.body_max_bytes + 1))
            if not declared:
                raw = raw.replace(b"Content-Length", b"X-Length")
            chunks = [raw[at : at + piece] for at in range(0, len(raw), piece)]
            refused = await cache.put("a", chunks)
            assert isinstance(refused, Refused)
            assert str(SMALL.body_max_bytes) in refused.reason
            assert await cache.match("a") is None
            assert await cache.blobs() == 0

    asyncio.run(run())


def test_largest_body_is_stored(tmp_path: Path) -> None:
    """The limit itself is allowed."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            assert await cache.put("a", response(bytes(SMALL.body_max_bytes))) is None
            assert await cache.body("a") == bytes(SMALL.body_max_bytes)

    asyncio.run(run())


@pytest.mark.parametrize("sent", [10, 5 * KIB, 60 * KIB])
def test_cut_uploads_are_never_stored(tmp_path: Path, sent: int) -> None:
    """Whether it is cut in the head, in memory or on the way to disk."""

    def cut() -> Iterator[bytes]:
        raw = response(pattern(90 * KIB)).replace(b"Content-Length", b"X-Length")
        for at in range(0, sent, 500):
            yield raw[at : min(at + 500, sent)]
        raise ConnectionResetError

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            with pytest.raises(ConnectionResetError):
                await cache.put("a", cut())
            assert await cache.match("a") is None
            assert await cache.blobs() == 0

    asyncio.run(run())


@pytest.mark.parametrize("size", SIZES)
def test_purge(tmp_path: Path, size: int) -> None:
    """Purge tells whether there was something, and forgets it, on disk too."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            assert not await cache.purge("a")
            await cache.put("a", response(pattern(size)))
            await cache.entries.flush()
            assert await cache.purge("a")
            assert not await cache.purge("a")
            assert await cache.match("a") is None
            assert await cache.blobs() == 0
            assert await cache.storage.records("cache").scan(b"", b"\xff", 9) == []

    asyncio.run(run())


def test_reading_outlives_purge_and_replacement(tmp_path: Path) -> None:
    """Who reads a large body gets all of it; its file goes afterwards."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            await cache.put("a", response(pattern(50 * KIB)))
            first, second = await cache.match("a"), await cache.match("a")
            assert first is not None
            assert second is not None
            await cache.put("a", response(bytes(50 * KIB)))
            assert await cache.purge("a")
            await cache.entries.flush()
            assert await cache.blobs() == 1
            assert await read(first) == await read(second) == pattern(50 * KIB)
            await cache.entries.flush()
            assert await cache.blobs() == 0

    asyncio.run(run())


def test_abandoned_reader_lets_go(tmp_path: Path) -> None:
    """A client that goes away does not keep the file for ever."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache:
            await cache.put("a", response(pattern(50 * KIB)))
            hit = await cache.match("a")
            assert hit is not None
            assert hit.rest is not None
            await hit.rest.aclose()
            assert await cache.purge("a")
            await cache.entries.flush()
            assert await cache.blobs() == 0

    asyncio.run(run())


async def write_versions(cache: Node, number: int) -> None:
    for turn in range(12):
        letter = bytes([65 + (number * 12 + turn) % 26])
        raw = response(letter * SIZES[1 + turn % 4], X_Is=letter.decode())
        await cache.put("a", [raw[at : at + 3000] for at in range(0, len(raw), 3000)])
        if turn % 5 == number:
            await cache.purge("a")
        if turn % 4 == 3:
            await cache.entries.flush()


async def read_versions(cache: Node) -> int:
    seen = 0
    for _ in range(100):
        hit = await cache.match("a")
        if hit is not None:
            body = await read(hit)
            assert len(body) == hit.length
            letter = hit.fields.partition(b"X-Is: ")[2][:1]
            assert body == letter * len(body)
            seen += 1
        await asyncio.sleep(0)
    return seen


def test_same_key_at_once_is_never_mixed(tmp_path: Path) -> None:
    """Whatever interleaves, a hit is one response: its head is of its body."""

    async def run() -> None:
        async with fresh_node(tmp_path) as cache, asyncio.TaskGroup() as tasks:
            for number in range(4):
                tasks.create_task(write_versions(cache, number))
            readers = [tasks.create_task(read_versions(cache)) for _ in range(4)]
        assert sum(task.result() for task in readers) > 0
        async with fresh_node(tmp_path) as cache:
            await cache.match("a")
            await cache.entries.flush()
            assert await cache.blobs() <= 1

    asyncio.run(run())


def test_other_time_same_storage(tmp_path: Path) -> None:
    """Entries survive a restart with age and expiry; stale ones do not."""

    async def run() -> None:
        clock = Time()
        async with EmbeddedStorage(tmp_path) as storage:
            async with node(storage, clock=clock) as cache:
                for size in SIZES:
                    await cache.put(f"{size}", response(pattern(size), ETag='"e"'))
                await cache.put("v", response(b"v", Vary="X"), {"x": "1"})
                await cache.put("short", response(pattern(50 * KIB), ttl_s=10))
            clock.now += 30
            async with node(storage, clock=clock) as cache:
                for size in SIZES:
                    hit = await cache.match(f"{size}")
                    assert hit is not None
                    assert hit.age_s == 30
                    assert await read(hit) == pattern(size)
                    again = await cache.body(f"{size}", {"range": "bytes=1-2"})
                    assert again == (pattern(size)[1:3] if size else b"")
                assert await cache.body("v", {"x": "1"}) == b"v"
                assert await cache.body("v", {"x": "2"}) is None
                assert await cache.match("short") is None
                await cache.entries.flush()
                assert await cache.blobs() == 2

    asyncio.run(run())
