"""Vectorize over HTTP, as the engine's client asks."""

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import BodyPartReader
from aiohttp.web import (
    BaseRequest,
    RequestPayloadError,
    Response,
    StreamResponse,
)

from selfedge.binding import Context
from selfedge.bindings.vectorize import wire
from selfedge.bindings.vectorize.engine.contract import Vector
from selfedge.bindings.vectorize.engine.host.engine import HostedEngine
from selfedge.bindings.vectorize.errors import (
    NoSuchRoute,
    UnreadableRequest,
    UploadCut,
    UploadTooLarge,
    VectorizeError,
)
from selfedge.bindings.vectorize.index.model import Operation
from selfedge.bindings.vectorize.limits import UPLOAD_MAX_BYTES
from selfedge.bindings.vectorize.service import VectorizeService

_CHUNK_BYTES = 262_144
_IN_THREAD_BYTES = 65_536  # bodies over this are parsed in a thread


@asynccontextmanager
async def serve(context: Context) -> AsyncIterator["VectorizeServer"]:
    """Serve all indexes of a node."""
    home = context.storage.directory("vectorize")
    service = VectorizeService(
        home,
        engine=HostedEngine(),
        clock=context.clock,
        notice=context.notice,
        new_id=lambda: str(uuid.uuid4()),
        free_bytes=lambda: shutil.disk_usage(home).free,
    )
    try:
        yield VectorizeServer(service)
    finally:
        await service.close()


class VectorizeServer:
    """Answers for the index that the engine's config names, never for a path's."""

    def __init__(self, service: VectorizeService) -> None:
        self.vectorize = service
        self._routes: dict[
            tuple[str, str], Callable[[str, BaseRequest, bytes], Awaitable[bytes]]
        ] = {
            ("GET", "/info"): self._info,
            ("POST", "/insert"): self._insert,
            ("POST", "/upsert"): self._upsert,
            ("POST", "/query"): self._query,
            ("POST", "/getByIds"): self._get,
            ("POST", "/deleteByIds"): self._delete,
        }

    async def handle(self, resource: str, request: BaseRequest) -> StreamResponse:
        """Answer one request for the index `resource`."""
        try:
            answer = await self._answer(resource, request)
        except VectorizeError as error:
            return _json(wire.refused(error), status=error.status)
        return _json(answer)

    async def _answer(self, index: str, request: BaseRequest) -> bytes:
        route = self._routes.get((request.method, request.path))
        if route is None:
            raise NoSuchRoute(request.method, request.path)
        return await route(index, request, await read_body(request))

    async def _info(self, index: str, _request: BaseRequest, _body: bytes) -> bytes:
        return wire.described(await self.vectorize.describe(index))

    async def _insert(self, index: str, request: BaseRequest, body: bytes) -> bytes:
        return await self._write(index, "insert", request, body)

    async def _upsert(self, index: str, request: BaseRequest, body: bytes) -> bytes:
        return await self._write(index, "upsert", request, body)

    async def _write(
        self, index: str, operation: Operation, request: BaseRequest, body: bytes
    ) -> bytes:
        kind = request.headers.get("Content-Type", "").partition(";")[0]
        as_json = kind.strip().lower() == "application/json"

        def parse() -> list[Vector]:
            return wire.parse_vectors(body, as_json=as_json, operation=operation)

        large = len(body) > _IN_THREAD_BYTES
        vectors = await asyncio.to_thread(parse) if large else parse()
        return wire.mutated(
            await self.vectorize.mutate(index, operation, vectors=vectors)
        )

    async def _query(self, index: str, _request: BaseRequest, body: bytes) -> bytes:
        query = wire.parse_query(body)
        return wire.matches(await self.vectorize.query(index, query), query)

    async def _get(self, index: str, _request: BaseRequest, body: bytes) -> bytes:
        return wire.vectors(await self.vectorize.get(index, wire.parse_ids(body)))

    async def _delete(self, index: str, _request: BaseRequest, body: bytes) -> bytes:
        ids = wire.parse_ids(body)
        return wire.mutated(await self.vectorize.mutate(index, "delete", ids=ids))


async def read_body(request: BaseRequest) -> bytes:
    """Return the whole body.

    Raises:
        UploadTooLarge, UploadCut: as they say.
    """
    return await _limited(request.content.iter_any())


async def read_part(request: BaseRequest, name: str) -> bytes | None:
    """Return the part `name` of a form, or None.

    Raises:
        UploadTooLarge, UploadCut, UnreadableRequest: as they say.
    """
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name == name:
                return await _limited(_chunks(part))
    except (ValueError, AssertionError) as error:
        raise UnreadableRequest(f"the form cannot be read: {error}") from None
    return None


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(_CHUNK_BYTES):
        yield chunk


async def _limited(chunks: AsyncIterable[bytes]) -> bytes:
    body = bytearray()
    try:
        async for chunk in chunks:
            body += chunk
            if len(body) > UPLOAD_MAX_BYTES:
                raise UploadTooLarge
    except (ConnectionError, RequestPayloadError):
        raise UploadCut from None
    return bytes(body)


def _json(body: bytes, *, status: int = 200) -> Response:
    return Response(body=body, status=status, content_type="application/json")
