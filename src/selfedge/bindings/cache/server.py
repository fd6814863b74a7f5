"""The HTTP that the engine's Cache API client speaks."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import ClientError
from aiohttp.web import BaseRequest, StreamResponse

from selfedge.binding import Context
from selfedge.bindings.cache import wire
from selfedge.bindings.cache.limits import Bounds
from selfedge.bindings.cache.service import CacheService, Hit
from selfedge.bindings.cache.store.entries import Entries
from selfedge.errors import StorageError

_EMPTY = {
    200: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    204: b"HTTP/1.1 204 No Content\r\n\r\n",
    400: b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    404: b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    405: b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n",
    413: b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n\r\n",
    500: b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
    504: b"HTTP/1.1 504 Gateway Timeout\r\nCF-Cache-Status: MISS\r\n"
    b"Content-Length: 0\r\n\r\n",
}


class Raw(StreamResponse):
    """A response whose head is bytes already: aiohttp would add headers to it."""

    def __init__(self, status: int, data: bytes, hit: Hit | None = None) -> None:
        super().__init__(status=status)
        self._data = data
        self._hit = hit
        self._asked: BaseRequest | None = None

    @property
    def keep_alive(self) -> bool | None:
        """Tell whether the connection stays open."""
        return self._asked is not None and self._asked.keep_alive

    async def prepare(self, request: BaseRequest) -> None:
        """Send the head, and the body as far as it is here."""
        self._asked = request
        await request.writer.write(self._data)

    async def write_eof(self, data: bytes = b"") -> None:  # noqa: ARG002
        """Send the rest of a body that is on disk."""
        if self._asked is None:
            return
        writer = self._asked.writer
        rest = None if self._hit is None else self._hit.rest
        if rest is not None:
            try:
                async for chunk in rest:
                    await writer.write(chunk)
            except StorageError as error:  # only a cut connection can say so now
                raise ConnectionResetError(str(error)) from error
            finally:
                await rest.aclose()
        await writer.write_eof()


class CacheServer:
    """Answers match (GET), put (PUT) and delete (PURGE)."""

    def __init__(self, service: CacheService) -> None:
        self._service = service

    async def handle(self, resource: str, request: BaseRequest) -> StreamResponse:
        """Answer one request of the Worker `resource`."""
        headers = request.headers
        url = wire.cache_key(headers.get(wire.CF_HEADER))
        if url is None:
            scheme = headers.get(wire.PROTO_HEADER, "http")
            url = f"{scheme}://{headers.get('Host', '')}{request.raw_path}"
        digest = wire.digest(resource, headers.get(wire.NAMESPACE_HEADER), url)
        method = request.method
        if method == "GET":
            return await self._match(digest, request)
        if method == "PUT":
            return await self._put(digest, request)
        if method == "PURGE":
            return _empty(200 if await self._service.purge(digest) else 404)
        return _empty(405)

    async def _match(self, digest: bytes, request: BaseRequest) -> StreamResponse:
        hit = await self._service.match(digest, _lookup(request))
        if hit is None:
            return _empty(504)
        return Raw(hit.status, _head(hit) + hit.body, hit)

    async def _put(self, digest: bytes, request: BaseRequest) -> StreamResponse:
        payload = request.content.iter_any()
        try:
            refused = await self._service.put(digest, _lookup(request), payload)
        except StorageError:
            return _empty(500)
        except (ClientError, ConnectionError):  # cut short: nobody hears the answer
            return _empty(400)
        return _empty(204 if refused is None else 413)


@asynccontextmanager
async def serve(context: Context) -> AsyncIterator[CacheServer]:
    """Run the caches of a node."""
    bounds = Bounds()
    entries = Entries(
        context.storage, bounds=bounds, clock=context.clock, notice=context.notice
    )
    async with entries.running():
        yield CacheServer(CacheService(entries, bounds=bounds, clock=context.clock))


def _empty(status: int) -> StreamResponse:
    return Raw(status, _EMPTY[status])


def _head(hit: Hit) -> bytes:
    lines = f"CF-Cache-Status: HIT\r\nAge: {hit.age_s}\r\n"
    if hit.content_range is not None:
        lines += f"Content-Range: {hit.content_range}\r\n"
    if hit.status not in (204, 304):
        lines += f"Content-Length: {hit.length}\r\n"
    return b"HTTP/1.1 %d %b\r\n%b%b\r\n" % (
        hit.status,
        hit.reason,
        hit.fields,
        lines.encode(),
    )


def _lookup(request: BaseRequest) -> Callable[[str], str | None]:
    """Return how to look up a header of `request`, as the bytes that were sent."""
    headers = request.headers

    def lookup(name: str) -> str | None:
        values = headers.getall(name, None)
        return None if values is None else wire.latin1(", ".join(values))

    return lookup
