"""R2 over HTTP, as workerd's `r2Bucket` asks for it."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager, suppress
from importlib import import_module

from aiohttp import ClientError
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import BaseRequest, StreamResponse

from selfedge.api.reply import Reply, drained
from selfedge.binding import Context
from selfedge.bindings.r2 import errors, limits, remote, wire
from selfedge.bindings.r2.bodies import INLINE_MAX_BYTES
from selfedge.bindings.r2.errors import R2Error
from selfedge.bindings.r2.model import Found
from selfedge.bindings.r2.service import R2Service
from selfedge.errors import StorageError, UsageError
from selfedge.storage.contract import Blobs, Records

SWEEP_INTERVAL_S = 3600.0
DRAIN_MAX_BYTES = limits.VALUE_MAX_BYTES + limits.BLOCK_MAX_BYTES


@asynccontextmanager
async def serve(context: Context) -> AsyncIterator["R2Server"]:
    """Open R2 for as long as the context lasts.

    Raises:
        StorageError: its state cannot be read.
        UsageError: the table [r2] of selfedge.toml is wrong.
    """
    records = context.storage.records("r2")
    blobs = await _blobs(context, records)
    service = R2Service(records=records, blobs=blobs, clock=context.clock)
    await service.remove_orphans()
    sweeper = asyncio.create_task(_sweep(service), name="r2 sweeper")
    try:
        yield R2Server(service)
    finally:
        sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await sweeper


async def _blobs(context: Context, records: Records) -> Blobs:
    here = context.storage.blobs("r2")
    chosen = remote.read(context.settings.project_file)
    if chosen is None:
        return here
    try:
        module = import_module("selfedge.bindings.r2.remote.bucket")
    except ModuleNotFoundError as error:
        raise UsageError(
            "[r2] of selfedge.toml needs the package obstore: "
            "pip install 'selfedge[s3]'"
        ) from error
    state = await remote.state_name(records)
    context.notice(f"R2 keeps new objects in {chosen.url}")
    return remote.Places(here, module.BucketBlobs(chosen, state, chosen.keys()))


async def _sweep(service: R2Service) -> None:
    while True:
        with suppress(StorageError):  # a put will tell the user
            await service.sweep()
        await asyncio.sleep(SWEEP_INTERVAL_S)


class R2Server:
    """Answers the requests of workerd's R2 client; the resource is a bucket."""

    def __init__(self, service: R2Service) -> None:
        self.r2 = service

    def bound(self, resources: Iterable[str]) -> None:
        """Count the buckets that Workers are bound to among those there are."""
        self.r2.buckets.bound(resources)

    async def handle(self, resource: str, request: BaseRequest) -> StreamResponse:
        """Answer one request for the bucket `resource`."""
        try:
            try:
                return await self._answer(resource, request)
            except (R2Error, StorageError) as error:
                await drained(request, most_bytes=DRAIN_MAX_BYTES)
                return _refusal(error)
        except (ConnectionError, ClientError, HttpProcessingError):
            return _failure(400, 10029, "The request's body was cut short.")

    async def _answer(self, bucket: str, request: BaseRequest) -> StreamResponse:
        if request.method == "GET":
            raw = request.headers.get(wire.REQUEST_HEADER, "")
            return await self._read(bucket, raw.encode(errors="replace"), request)
        if request.method == "PUT":
            block, size = await _block(request)
            return await self._write(bucket, wire.request(block), request, size)
        raise errors.InvalidArgument(f"R2 has no method {request.method[:20]!r}.")

    async def _read(
        self, bucket: str, raw: bytes, request: BaseRequest
    ) -> StreamResponse:
        match asked := wire.request(raw):
            case wire.Head():
                found = await self.r2.head(bucket, asked.object)
                return _block_reply(wire.object_json(found, (0, found.size)))
            case wire.Get():
                opened = await self.r2.get(
                    bucket, asked.object, asked=asked.asked, conditions=asked.only_if
                )
                return await _found(opened, request)
            case wire.List():
                return _block_reply(
                    wire.page_json(await self.r2.list(bucket, asked.query))
                )
        raise errors.InvalidArgument("This method comes as PUT.")

    async def _write(
        self, bucket: str, asked: wire.Request, request: BaseRequest, size: int | None
    ) -> StreamResponse:
        match asked:
            case wire.Put():
                options, key = asked.options, asked.object
                await self.r2.check_put(bucket, key, options, size)
                value = await _value(request, size)
                made = await self.r2.put(bucket, key, value, options, size=size)
                return Reply(200, wire.object_json(made))
            case wire.UploadPart():
                etag = await self._part(bucket, asked, request, size)
                return Reply(200, wire.answer_json(etag=etag))
        await drained(request, most_bytes=DRAIN_MAX_BYTES)
        return await self._command(bucket, asked)

    async def _part(
        self,
        bucket: str,
        asked: wire.UploadPart,
        request: BaseRequest,
        size: int | None,
    ) -> str:
        return await self.r2.uploads.part(
            bucket,
            asked.object,
            asked.upload_id,
            asked.part_number,
            await _value(request, size),
            size=size,
        )

    async def _command(self, bucket: str, asked: wire.Request) -> StreamResponse:
        """Do what needs no bytes."""
        match asked:
            case wire.Delete():
                await self.r2.delete(bucket, asked.keys)
                return Reply(200, b"{}")
            case wire.CreateUpload():
                upload = await self.r2.create_upload(
                    bucket, asked.object, asked.options
                )
                return Reply(200, wire.answer_json(uploadId=upload))
            case wire.CompleteUpload():
                made = await self.r2.uploads.complete(
                    bucket, asked.object, asked.upload_id, asked.named
                )
                return Reply(200, wire.object_json(made))
            case wire.AbortUpload():
                await self.r2.uploads.abort(bucket, asked.object, asked.upload_id)
                return Reply(200, b"{}")
        raise errors.InvalidArgument("This method comes as GET.")


def _block_reply(block: bytes, body: bytes = b"") -> Reply:
    return Reply(200, block + body, headers=_size_header(block))


def _size_header(block: bytes) -> bytes:
    return b"%b: %d\r\n" % (wire.SIZE_HEADER.encode(), len(block))


async def _found(found: Found, request: BaseRequest) -> StreamResponse:
    block = wire.object_json(found.object, (found.start, found.length))
    if found.stream is None:
        return _block_reply(block, found.inline)
    response = StreamResponse(headers={wire.SIZE_HEADER: str(len(block))})
    response.content_length = len(block) + found.length
    try:
        async with aclosing(found.stream):
            await response.prepare(request)
            await response.write(block)
            async for chunk in found.stream.chunks:
                await response.write(chunk)
    except StorageError:  # too late for a status: a cut answer must be seen as one
        if request.transport is not None:
            request.transport.abort()
    return response


def _refusal(error: R2Error | StorageError) -> Reply:
    if isinstance(error, StorageError):
        return _failure(500, errors.INTERNAL, str(error))
    block = b""
    if isinstance(error, errors.PreconditionFailed) and error.found is not None:
        block = wire.object_json(error.found, (0, error.found.size))
    return _failure(error.status, error.number, str(error), block)


def _failure(status: int, number: int, message: str, block: bytes = b"") -> Reply:
    error = wire.error_json(number, message)
    header = b"%b: %b\r\n" % (wire.ERROR_HEADER.encode(), error)
    return Reply(
        status, block, headers=header + (_size_header(block) if block else b"")
    )


async def _block(request: BaseRequest) -> tuple[bytes, int | None]:
    """Return the JSON before the body, and the size of the rest if it is known.

    Raises:
        InvalidArgument: there is none.
    """
    text = request.headers.get(wire.SIZE_HEADER, "")
    if not text.isdecimal() or int(text[:9]) > limits.BLOCK_MAX_BYTES:
        raise errors.InvalidArgument("Metadata missing or invalid")
    size = int(text)
    try:
        block = await request.content.readexactly(size)
    except asyncio.IncompleteReadError as error:
        raise errors.InvalidArgument("Metadata missing or invalid") from error
    length = request.content_length
    return block, None if length is None else length - size


async def _value(
    request: BaseRequest, size: int | None
) -> bytes | AsyncIterator[bytes]:
    if size is not None and size <= INLINE_MAX_BYTES:
        return await request.content.read()
    return request.content.iter_any()
