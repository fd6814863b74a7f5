"""KV's HTTP, byte by byte: what no client library would send, too."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from selfedge.binding import Context
from selfedge.bindings.kv.server import serve
from selfedge.settings import Settings
from selfedge.storage.embedded import EmbeddedStorage


class Wire:
    """A served KV, and raw connections to it."""

    def __init__(self, path: Path, storage: EmbeddedStorage) -> None:
        self.path = path
        self.storage = storage

    async def talk(self, *pieces: bytes, half_close: bool = False) -> bytes:
        """Send `pieces` over one connection; return all that comes back."""
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        for piece in pieces:
            writer.write(piece)
        if half_close:
            writer.write_eof()
        reply = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        return reply

    async def ask(self, line: str, *headers: str, body: bytes = b"") -> bytes:
        """Send one request; return the reply."""
        head = [f"{line} HTTP/1.1", "Host: fake-host", "Connection: close", *headers]
        if body:
            head.append(f"Content-Length: {len(body)}")
        return await self.talk("\r\n".join([*head, "", ""]).encode() + body)


def on_a_wire(root: Path, body: Callable[[Wire], Awaitable[None]]) -> None:
    async def main() -> None:
        faults: list[object] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: faults.append(context))
        async with EmbeddedStorage(root / "state") as storage:
            context = Context(
                storage=storage,
                settings=Settings(cache_dir=root),
                clock=lambda: 1_000_000.0,
                notice=lambda _: None,
            )
            async with serve(context) as kv:
                server = web.Server(lambda request: kv.handle("ns", request))
                runner = web.ServerRunner(server)
                await runner.setup()
                await web.UnixSite(runner, str(root / "kv.sock")).start()
                try:
                    await body(Wire(root / "kv.sock", storage))
                finally:
                    await runner.cleanup()
        assert faults == []

    asyncio.run(main())


def status_line(reply: bytes) -> str:
    return reply.split(b"\r\n")[0].decode()


def test_metadata_travels_as_raw_utf_8_both_ways(tmp_path: Path) -> None:
    async def body(wire: Wire) -> None:
        metadata = '{"m":"é😀"}'
        for key, value in (("small", b"v"), ("large", b"v" * 50_000)):
            await wire.ask(f"PUT /{key}", f"CF-KV-Metadata: {metadata}", body=value)
            reply = await wire.ask(f"GET /{key}?urlencoded=true")
            head, _, got = reply.partition(b"\r\n\r\n")
            assert f"CF-KV-Metadata: {metadata}".encode() in head.splitlines()
            assert f"Content-Length: {len(value)}".encode() in head.splitlines()
            assert got == value

    on_a_wire(tmp_path, body)


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("GET /%FF?urlencoded=true", "400 Invalid key encoding"),
        ("GET /%C3%28", "400 Invalid key encoding"),
        ("GET /a%2", "400 Invalid key encoding"),
        ("GET /" + "k" * 513, "414 UTF-8 encoded length of 513 exceeds key length"),
        ("GET /missing", "404 Not Found"),
        ("DELETE /missing", "200 OK"),
        ("DELETE /", "400 Key names must not be empty"),
        ("GET /?cursor=%00", "400 Invalid cursor."),
        ("GET /k?cache_ttl=%0D%0AX-Header:%20x", "400 Invalid cache_ttl of   X-Header"),
        ("PATCH /k", "405 Method Not Allowed"),
        ("HEAD /k", "405 Method Not Allowed"),
        ("OPTIONS *", "400 Invalid key encoding"),
        ("POST /bulk/get", "400 Invalid JSON"),
    ],
)
def test_a_request_is_answered_with_this_reason(
    tmp_path: Path, line: str, reply: str
) -> None:
    async def body(wire: Wire) -> None:
        assert status_line(await wire.ask(line)).startswith(f"HTTP/1.1 {reply}")

    on_a_wire(tmp_path, body)


def test_a_key_of_raw_bytes_that_are_no_utf_8_is_refused(tmp_path: Path) -> None:
    async def body(wire: Wire) -> None:
        request = b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert " 400 " in status_line(await wire.talk(request))  # aiohttp's own

    on_a_wire(tmp_path, body)


def test_a_broken_header_of_metadata_is_refused(tmp_path: Path) -> None:
    async def body(wire: Wire) -> None:
        request = (
            b"PUT /k HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b'CF-KV-Metadata: "\xff"\r\nContent-Length: 1\r\n\r\nv'
        )
        reply = status_line(await wire.talk(request))
        assert reply == "HTTP/1.1 400 Metadata must be valid JSON."
        assert status_line(await wire.ask("GET /k")) == "HTTP/1.1 404 Not Found"

    on_a_wire(tmp_path, body)


@pytest.mark.parametrize("sent", [10, 100_000], ids=["small", "large"])
@pytest.mark.parametrize(
    "framing",
    [b"Content-Length: 200000", b"Transfer-Encoding: chunked"],
    ids=["length", "chunked"],
)
def test_an_upload_that_is_cut_is_not_stored(
    tmp_path: Path, sent: int, framing: bytes
) -> None:
    async def body(wire: Wire) -> None:
        await wire.ask("PUT /k", body=b"old")
        chunk = b"x" * sent
        if b"chunked" in framing:
            chunk = b"%x\r\n%b\r\n" % (sent, chunk)
        head = b"PUT /k HTTP/1.1\r\nHost: x\r\n%b\r\n\r\n" % framing
        await wire.talk(head, chunk, half_close=True)
        assert (await wire.ask("GET /k")).endswith(b"\r\n\r\nold")
        assert await wire.storage.blobs("kv").ids() == []

    on_a_wire(tmp_path, body)


def test_a_body_that_is_not_chunked_as_it_says_is_refused(tmp_path: Path) -> None:
    async def body(wire: Wire) -> None:
        head = b"PUT /k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        reply = await wire.talk(head, b"zzz\r\nno chunk\r\n")
        assert " 400 " in status_line(reply)  # aiohttp's own
        assert status_line(await wire.ask("GET /k")) == "HTTP/1.1 404 Not Found"

    on_a_wire(tmp_path, body)


def test_a_refused_upload_leaves_the_connection_usable(tmp_path: Path) -> None:
    async def body(wire: Wire) -> None:
        size = 26 * 1024 * 1024
        head = f"PUT /k HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode()
        after = b"GET /k HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        reply = await wire.talk(head, bytes(size), after)
        first, second = reply.split(b"HTTP/1.1 ")[1:]
        assert first.startswith(
            b"413 Value length of 27262976 exceeds limit of 26214400."
        )
        assert second.startswith(b"404 Not Found")

    on_a_wire(tmp_path, body)


def test_requests_that_come_at_once_are_answered_in_turn(tmp_path: Path) -> None:
    async def body(wire: Wire) -> None:
        requests = [
            b"PUT /k HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nv",
            b"GET /k HTTP/1.1\r\nHost: x\r\n\r\n",
            b"DELETE /k HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /k HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        ]
        reply = await wire.talk(b"".join(requests))
        statuses = [part[:3] for part in reply.split(b"HTTP/1.1 ")[1:]]
        assert statuses == [b"200", b"200", b"200", b"404"]

    on_a_wire(tmp_path, body)


def test_a_bulk_body_without_end_is_refused(tmp_path: Path) -> None:
    async def body(wire: Wire) -> None:
        reply = await wire.ask("POST /bulk/get", body=b" " * 2_000_000)
        assert status_line(reply).startswith("HTTP/1.1 400 You can request a maximum")

    on_a_wire(tmp_path, body)


def test_a_failing_disk_is_a_500_that_says_so(tmp_path: Path) -> None:
    async def body(wire: Wire) -> None:
        records = wire.storage.records("kv")
        await wire.ask("PUT /k", body=b"old")
        records._db.execute("PRAGMA max_page_count = 1")
        reply = status_line(await wire.ask("PUT /k2", body=b"v" * 10_000))
        assert reply.startswith(f"HTTP/1.1 500 The disk that holds {tmp_path}/state/kv")
        assert (await wire.ask("GET /k")).endswith(b"\r\n\r\nold")

    on_a_wire(tmp_path, body)


@pytest.mark.parametrize("left", [0, 600_000])
def test_a_value_that_is_cut_on_disk_is_seen_as_cut(tmp_path: Path, left: int) -> None:
    async def body(wire: Wire) -> None:
        await wire.ask("PUT /k", body=b"v" * 1_000_000)
        (blob,) = (tmp_path / "state" / "kv" / "blobs").iterdir()
        blob.write_bytes(b"v" * left)
        reply = await wire.talk(b"GET /k HTTP/1.1\r\nHost: x\r\n\r\n")
        assert len(reply.partition(b"\r\n\r\n")[2]) <= left
        bulk = await wire.ask("POST /bulk/get", body=b'{"keys":["k"]}')
        assert f"1000000 bytes has only {left}" in status_line(bulk)

    on_a_wire(tmp_path, body)
