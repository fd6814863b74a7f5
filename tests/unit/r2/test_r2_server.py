"""R2's HTTP: what the engine's client is answered, whatever it sends."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from selfedge.binding import Context
from selfedge.bindings.r2.server import serve
from selfedge.settings import Settings
from selfedge.storage.embedded import EmbeddedStorage

MIB = 1024 * 1024


class Client:
    """Asks as the engine does, on a unix socket."""

    def __init__(self, session: aiohttp.ClientSession, path: Path) -> None:
        self.session = session
        self.path = path

    async def get(self, **fields: object) -> tuple[int, dict, dict, bytes]:
        headers = {"CF-R2-Request": json.dumps(fields)}
        return await self.ask("GET", headers, None)

    async def put(
        self, body: bytes = b"", **fields: object
    ) -> tuple[int, dict, dict, bytes]:
        block = json.dumps(fields).encode()
        headers = {"CF-R2-Metadata-Size": str(len(block))}
        return await self.ask("PUT", headers, BytesIO(block + body))

    async def ask(
        self, method: str, headers: dict[str, str], body: object
    ) -> tuple[int, dict, dict, bytes]:
        """Return status, error, the block's JSON and what follows it."""
        async with self.session.request(
            method, "http://r2/", headers=headers, data=body
        ) as answer:
            raw = await answer.read()
            error = json.loads(answer.headers.get("CF-R2-Error", "null"))
            size = answer.headers.get("CF-R2-Metadata-Size")
        block = raw if size is None else raw[: int(size)]
        rest = b"" if size is None else raw[int(size) :]
        return answer.status, error, json.loads(block or b"null"), rest


def within(root: Path, body: Callable[[Client], Awaitable[None]]) -> None:
    """Run `body` with a client of a running server."""

    async def main() -> None:
        path = root / "r2.sock"
        async with EmbeddedStorage(root / "state") as storage:
            context = Context(
                storage=storage,
                settings=Settings(cache_dir=root),
                clock=time.time,
                notice=lambda _: None,
            )
            async with serve(context) as r2:
                server = web.Server(lambda request: r2.handle("b", request))
                runner = web.ServerRunner(server)
                await runner.setup()
                await web.UnixSite(runner, str(path)).start()
                connector = aiohttp.UnixConnector(str(path))
                async with aiohttp.ClientSession(connector=connector) as session:
                    await body(Client(session, path))
                await runner.cleanup()

    asyncio.run(main())


def test_a_get_answers_with_a_block_and_bytes(tmp_path: Path) -> None:
    async def body(client: Client) -> None:
        value = bytes(MIB)
        for key, put in (("small", b"value"), ("large", value)):
            status, error, made, _ = await client.put(put, method="put", object=key)
            assert (status, error, made["size"]) == (200, None, len(put))
            status, error, block, rest = await client.get(method="get", object=key)
            assert (status, error, rest) == (200, None, put)
            assert block["range"] == {"offset": 0, "length": len(put)}

    within(tmp_path, body)


def test_a_condition_that_does_not_hold_brings_the_metadata(tmp_path: Path) -> None:
    """The engine then shows an object without a body."""

    async def body(client: Client) -> None:
        await client.put(b"value", method="put", object="k")
        only_if = {"etagMatches": [{"type": "strong", "value": "other"}]}
        status, error, block, rest = await client.get(
            method="get", object="k", onlyIf=only_if
        )
        assert (status, error["v4code"], rest) == (412, 10031, b"")
        assert block["name"] == "k"
        status, error, block, _ = await client.put(
            bytes(3 * MIB), method="put", object="k", onlyIf=only_if
        )
        assert (status, error["v4code"], block) == (412, 10031, None)

    within(tmp_path, body)


@pytest.mark.parametrize(
    ("method", "headers", "body", "expected"),
    [
        ("GET", {}, None, (400, 10029)),
        ("GET", {"CF-R2-Request": "{"}, None, (400, 10029)),
        (
            "GET",
            {"CF-R2-Request": '{"method":"head","object":"k"}'},
            None,
            (404, 10007),
        ),
        ("GET", {"CF-R2-Request": '{"method":"head","object":""}'}, None, (400, 10020)),
        ("GET", {"CF-R2-Request": '{"method":"put","object":"k"}'}, None, (400, 10029)),
        ("PUT", {}, b"x", (400, 10029)),
        ("PUT", {"CF-R2-Metadata-Size": "9"}, b"{}", (400, 10029)),
        ("PUT", {"CF-R2-Metadata-Size": "-1"}, b"{}", (400, 10029)),
        ("PUT", {"CF-R2-Metadata-Size": "9" * 30}, b"{}", (400, 10029)),
        ("PUT", {"CF-R2-Metadata-Size": "²"}, b"{}", (400, 10029)),
        (
            "PUT",
            {"CF-R2-Metadata-Size": "30"},
            b'{"method":"head","object":"k"}',
            (400, 10029),
        ),
        ("POST", {}, b"", (400, 10029)),
    ],
)
def test_what_is_no_request_is_refused(
    tmp_path: Path,
    method: str,
    headers: dict[str, str],
    body: bytes | None,
    expected: tuple[int, int],
) -> None:
    async def ask(client: Client) -> None:
        status, error, _, _ = await client.ask(method, headers, body)
        assert (status, error["v4code"]) == expected

    within(tmp_path, ask)


def test_a_refusal_comes_after_the_whole_body(tmp_path: Path) -> None:
    """Else the engine tells the Worker that the network was lost."""

    async def body(client: Client) -> None:
        for fields in (
            {"method": "put", "object": "x" * 1025},
            {"method": "put", "object": "k", "storageClass": "Cold"},
            {"method": "put", "object": "k", "md5": "AAAA"},
            {"method": "uploadPart", "object": "k", "uploadId": "u", "partNumber": 1},
        ):
            status, error, _, _ = await client.put(bytes(2 * MIB), **fields)
            assert status == 400
            assert error["message"]
        status, _, _, _ = await client.put(b"x", method="put", object="k")
        assert status == 200

    within(tmp_path, body)


def test_a_body_that_is_cut_short_stores_nothing(tmp_path: Path) -> None:
    async def body(client: Client) -> None:
        await client.put(b"whole", method="put", object="k")
        block = b'{"method":"put","object":"k"}'
        for sent in (100, MIB):
            reader, writer = await asyncio.open_unix_connection(str(client.path))
            head = (
                f"PUT / HTTP/1.1\r\nHost: r2\r\nCF-R2-Metadata-Size: {len(block)}\r\n"
                f"Content-Length: {len(block) + 2 * MIB}\r\n\r\n"
            )
            writer.write(head.encode() + block + bytes(sent))
            await writer.drain()
            writer.write_eof()
            await reader.read()
            writer.close()
            await writer.wait_closed()
        _, _, _, rest = await client.get(method="get", object="k")
        assert rest == b"whole"
        blobs = tmp_path / "state" / "r2" / "blobs"
        async with asyncio.timeout(10):
            while list(blobs.iterdir()):
                await asyncio.sleep(0.01)

    within(tmp_path, body)
