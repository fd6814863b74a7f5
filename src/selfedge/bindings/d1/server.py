"""D1 over HTTP, as the engine's client asks."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

from aiohttp import ClientError
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import BaseRequest, RequestPayloadError, Response, StreamResponse

from selfedge.binding import Context
from selfedge.bindings.d1 import wire
from selfedge.bindings.d1.database import copies
from selfedge.bindings.d1.errors import D1Error, DumpTooLarge, UnreadableRequest
from selfedge.bindings.d1.limits import BATCH_BODY_MAX_BYTES, RESULT_MAX_BYTES, Limits
from selfedge.bindings.d1.service import D1Service
from selfedge.bindings.d1.transfer.transfers import Transfers
from selfedge.errors import UsageError
from selfedge.types import Environ

SIZE_VARIABLE = "SELFEDGE_D1_MAX_BYTES"
TIME_VARIABLE = "SELFEDGE_D1_QUERY_SECONDS"


@asynccontextmanager
async def serve(context: Context) -> AsyncIterator["D1Server"]:
    """Serve all databases of a node.

    Raises:
        UsageError: a limit in the environment is no number.
        StorageError: its folder cannot be written.
    """
    service = D1Service(
        context.storage.directory("d1"),
        clock=context.clock,
        notice=context.notice,
        new_id=lambda: str(uuid.uuid4()),
        limits=chosen_limits(os.environ),
    )
    tending = asyncio.create_task(service.tend(), name="d1 tending")
    server = D1Server(service)
    try:
        yield server
    finally:
        tending.cancel()
        with suppress(asyncio.CancelledError):
            await tending
        await service.close()
        await server.transfers.close()


def chosen_limits(environ: Environ) -> Limits:
    """Return the limits, as far as the environment sets them.

    Raises:
        UsageError: one is not a number over 0.
    """
    limits = Limits()
    if size := environ.get(SIZE_VARIABLE):
        limits = replace(limits, database_bytes=int(_number(SIZE_VARIABLE, size)))
    if seconds := environ.get(TIME_VARIABLE):
        limits = replace(limits, query_s=_number(TIME_VARIABLE, seconds))
    return limits


class D1Server:
    """Answers the requests of the engine's D1 client; the resource is a database."""

    def __init__(self, service: D1Service) -> None:
        self.d1 = service
        self.transfers = Transfers(service)

    def bound(self, resources: Iterable[str]) -> None:
        """Make the databases that Workers may use from now on."""
        self.d1.bound(resources)

    async def handle(self, resource: str, request: BaseRequest) -> StreamResponse:
        """Answer one request for the database `resource`."""
        try:
            body = await _body(request)
            if request.method == "POST" and request.path in ("/query", "/execute"):
                return await self._query(resource, request, body)
            if request.method == "POST" and request.path == "/dump":
                return await self._dump(resource)
        except D1Error as error:
            status = 500 if request.path == "/dump" else 200  # what its client looks at
            return Reply(status, wire.refused(str(error)))
        except (ConnectionError, ClientError, HttpProcessingError):
            return Reply(400, wire.refused("The request's body was cut short."))
        return Reply(404, wire.refused("D1 has no such operation."))

    async def _query(
        self, resource: str, request: BaseRequest, body: bytes
    ) -> StreamResponse:
        queries, as_list = wire.parse_queries(body)
        layout = request.query.get("resultsFormat", "")
        answer, bookmark = await self.d1.query(
            resource,
            queries,
            lambda results: wire.encoded(results, layout, as_list=as_list),
        )
        asked = request.headers.get(wire.BOOKMARK_HEADER)
        return Reply(200, answer, bookmark=bookmark if asked else "")

    async def _dump(self, resource: str) -> StreamResponse:
        source, bookmark = await self.d1.pinned(self.d1.bound_id(resource))
        path = self.d1.home / f".dump-{uuid.uuid4().hex}"
        try:
            await asyncio.to_thread(copies.write_copy, source, path, self.d1.stopping)
            content = await asyncio.to_thread(_content, path)
        finally:
            path.unlink(missing_ok=True)
        return Response(body=content, headers={wire.BOOKMARK_HEADER: bookmark})


class Reply(StreamResponse):
    """A short answer, written at once: aiohttp's own takes twice the time."""

    def __init__(self, status: int, body: bytes, *, bookmark: str = "") -> None:
        super().__init__(status=status)
        mark = f"{wire.BOOKMARK_HEADER}: {bookmark}\r\n".encode() if bookmark else b""
        self._reply = (
            b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n%b\r\n%b"
        ) % (status, HTTPStatus(status).phrase.encode(), len(body), mark, body)

    async def prepare(self, request: BaseRequest) -> None:
        """Send the whole answer."""
        self._keep_alive = request.keep_alive
        if request.transport is None:
            raise ConnectionResetError("the client has gone")
        request.transport.write(self._reply)

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: all is sent."""


def _content(path: Path) -> bytes:
    if path.stat().st_size > RESULT_MAX_BYTES:
        raise DumpTooLarge
    return path.read_bytes()


async def _body(request: BaseRequest) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > BATCH_BODY_MAX_BYTES:
                raise UnreadableRequest(
                    f"The queries are over {BATCH_BODY_MAX_BYTES} bytes; send fewer"
                    " at once."
                )
    except RequestPayloadError:
        raise UnreadableRequest("The request's body was cut short.") from None
    return bytes(body)


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise UsageError(f"{name} is a number over 0, not {text[:40]!r}.")
    return value
