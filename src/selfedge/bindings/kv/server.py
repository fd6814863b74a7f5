"""KV over HTTP, as workerd's `kvNamespace` asks for it."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager, suppress

from aiohttp import ClientError
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import BaseRequest, StreamResponse

from selfedge.api.reply import Reply, drained
from selfedge.binding import Context
from selfedge.bindings.kv import errors, limits, rules, wire
from selfedge.bindings.kv.errors import KVError
from selfedge.bindings.kv.model import Value
from selfedge.bindings.kv.namespaces import Namespaces
from selfedge.bindings.kv.service import INLINE_MAX_BYTES, KVService
from selfedge.errors import StorageError

SWEEP_INTERVAL_S = 30.0
_MISS = b"CF-Cache-Status: MISS\r\n"  # no cache stands before the store
_BULK_BODY_MAX_BYTES = 1024 * 1024
_DRAIN_MAX_BYTES = 1024 * 1024 * 1024


@asynccontextmanager
async def serve(context: Context) -> AsyncIterator["KVServer"]:
    """Open KV for as long as the context lasts.

    Raises:
        StorageError: its state cannot be read.
    """
    service = KVService(
        records=context.storage.records("kv"),
        blobs=context.storage.blobs("kv"),
        clock=context.clock,
    )
    await service.remove_orphans()
    sweeper = asyncio.create_task(_sweep(service), name="kv sweeper")
    try:
        yield KVServer(service, Namespaces(context.storage.records("kv"), service))
    finally:
        sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await sweeper


async def _sweep(service: KVService) -> None:
    while True:
        with suppress(StorageError):  # a put will tell the user
            await service.sweep()
        await asyncio.sleep(SWEEP_INTERVAL_S)


class KVServer:
    """Answers the requests of workerd's KV client; the resource is a namespace."""

    def __init__(self, service: KVService, namespaces: Namespaces) -> None:
        self.service = service
        self.namespaces = namespaces

    def bound(self, resources: Iterable[str]) -> None:
        """Let the namespaces exist that Workers use."""
        self.namespaces.bound(resources)

    async def handle(self, resource: str, request: BaseRequest) -> StreamResponse:
        """Answer one request for the namespace `resource`."""
        try:
            try:
                return await self._answer(resource, request)
            except (KVError, StorageError) as error:
                await drained(request, most_bytes=_DRAIN_MAX_BYTES)
                status = error.status if isinstance(error, KVError) else 500
                return Reply(status, reason=wire.reason(str(error)))
        except (ConnectionError, ClientError, HttpProcessingError):
            return Reply(400, reason="The request's body was cut short.")

    async def _answer(self, namespace: str, request: BaseRequest) -> StreamResponse:
        asked = wire.request(
            request.method, request.raw_path, request.headers.get(wire.METADATA_HEADER)
        )
        match asked:
            case wire.Get():
                value = await self.service.get(
                    namespace, asked.key, cache_ttl=asked.cache_ttl
                )
                return await _value(value, request)
            case wire.Put():
                await self._put(namespace, asked, request)
                return Reply(200)
            case wire.Delete():
                await self.service.delete(namespace, asked.key)
                return Reply(200)
            case wire.List():
                page = await self.service.list(
                    namespace,
                    prefix=asked.prefix,
                    limit=asked.limit,
                    cursor=asked.cursor,
                )
                return Reply(200, wire.list_json(page))
            case wire.BulkGet():
                return await self._bulk_get(namespace, request)

    async def _put(self, namespace: str, asked: wire.Put, request: BaseRequest) -> None:
        size = request.content_length
        if size is not None:
            rules.check_size(size)
        small = size is not None and size <= INLINE_MAX_BYTES
        value = await request.content.read() if small else request.content.iter_any()
        try:
            await self.service.put(namespace, asked.key, value, asked.options)
        except errors.ValueTooLarge as error:  # a stream tells its length at its end
            rest = await drained(request, most_bytes=_DRAIN_MAX_BYTES)
            raise errors.ValueTooLarge(error.size_bytes + rest) from error

    async def _bulk_get(self, namespace: str, request: BaseRequest) -> StreamResponse:
        body = await _small_body(request)
        asked = wire.bulk_body(body)
        found = await self.service.bulk_get(
            namespace, asked.keys, cache_ttl=wire.cache_ttl(asked.cache_ttl)
        )
        return Reply(200, wire.bulk_json(asked, found))


def _value_headers(metadata: str | None) -> bytes:
    if metadata is None:
        return _MISS
    header = wire.METADATA_HEADER.encode()
    return b"%b%b: %b\r\n" % (_MISS, header, wire.metadata_value(metadata))


async def _value(value: Value | None, request: BaseRequest) -> StreamResponse:
    if value is None:
        return Reply(404, headers=_MISS)
    if value.chunks is None:
        return Reply(200, value.inline, headers=_value_headers(value.metadata))
    response = StreamResponse(headers={"CF-Cache-Status": "MISS"})
    response.content_length = value.size
    if value.metadata is not None:
        response.headers[wire.METADATA_HEADER] = wire.metadata_value(
            value.metadata
        ).decode()
    try:
        async with aclosing(value.chunks) as chunks:
            await response.prepare(request)
            async for chunk in chunks:
                await response.write(chunk)
    except StorageError:  # too late for a status: a cut answer must be seen as one
        if request.transport is not None:
            request.transport.abort()
    return response


async def _small_body(request: BaseRequest) -> bytes:
    body = b""
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > _BULK_BODY_MAX_BYTES:
            raise errors.InvalidBulk(
                f"You can request a maximum of {limits.BULK_MAX_KEYS} keys"
            )
    return body
