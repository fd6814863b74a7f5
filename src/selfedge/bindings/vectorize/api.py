"""Vectorize in the control API: what wrangler and the SDKs ask."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import wraps
from typing import Any, TypeAlias

import msgspec

from selfedge.binding import Answer, Call, Context, Page, Route
from selfedge.bindings.vectorize import wire
from selfedge.bindings.vectorize.errors import (
    UnknownIndex,
    UnreadableRequest,
    VectorizeError,
)
from selfedge.bindings.vectorize.index.model import Operation
from selfedge.bindings.vectorize.limits import CURSOR_TTL_S, HTTP_BATCH_MAX
from selfedge.bindings.vectorize.rest import messages, projection
from selfedge.bindings.vectorize.server import (
    VectorizeServer,
    read_body,
    read_part,
)
from selfedge.errors import ApiError

NOT_THERE = 10159  # what a Worker is to be bound to
_INDEXES = "/accounts/{account}/vectorize/v2/indexes"
_INDEX = f"{_INDEXES}/{{index}}"

Method: TypeAlias = Callable[[Call], Awaitable[object]]


def routes(server: VectorizeServer, context: Context) -> Sequence[Route]:
    """Return the routes over the running service."""
    api = _Api(server, context)
    return [
        Route(
            method=method,
            path=path,
            answer=_refusing(answer),
            needs="read" if answer in {api.query, api.get_by_ids} else None,
        )
        for method, path, answer in (
            ("POST", _INDEXES, api.create),
            ("GET", _INDEXES, api.list),
            ("GET", _INDEX, api.get),
            ("DELETE", _INDEX, api.delete),
            ("GET", f"{_INDEX}/info", api.info),
            ("POST", f"{_INDEX}/insert", api.insert),
            ("POST", f"{_INDEX}/upsert", api.upsert),
            ("POST", f"{_INDEX}/query", api.query),
            ("POST", f"{_INDEX}/get_by_ids", api.get_by_ids),
            ("POST", f"{_INDEX}/delete_by_ids", api.delete_by_ids),
            ("GET", f"{_INDEX}/list", api.list_vectors),
            ("GET", f"{_INDEX}/projection", api.projection),
            ("POST", f"{_INDEX}/metadata_index/create", api.create_metadata_index),
            ("GET", f"{_INDEX}/metadata_index/list", api.list_metadata_indexes),
            ("POST", f"{_INDEX}/metadata_index/delete", api.delete_metadata_index),
            ("POST", f"{_INDEX}/compact", api.compact),
        )
    ]


async def check(server: VectorizeServer, entry: Mapping[str, Any]) -> None:
    """Check that the index is there which an entry of an upload names.

    Raises:
        ApiError: it is not.
    """
    wanted = entry["index_name"]
    try:
        await server.vectorize.index(wanted)
    except UnknownIndex as error:
        raise ApiError(
            f"Vectorize binding {entry['name']!r} references index {wanted[:80]!r} "
            "which was not found. Create it with `wrangler vectorize create`.",
            status=400,
            number=NOT_THERE,
        ) from error


class _Api:
    """Each method answers one route; all but `create` and `list` name an index."""

    def __init__(self, server: VectorizeServer, context: Context) -> None:
        self._service = server.vectorize
        self._clock = context.clock

    async def create(self, call: Call) -> object:
        name, config = messages.new_index(await read_body(call.request))
        return messages.described(await self._service.create(name, config))

    async def list(self, call: Call) -> object:
        indexes = [messages.described(one) for one in await self._service.indexes()]
        shown = messages.sliced(indexes, call.query)
        info = {"count": len(shown), "total_count": len(indexes), "cursor": ""}
        return Page(items=shown, info=info)

    async def get(self, call: Call) -> object:
        return messages.described(await self._service.index(call.path["index"]))

    async def delete(self, call: Call) -> object:
        await self._service.delete(call.path["index"])
        return None

    async def info(self, call: Call) -> object:
        index = await self._index(call)
        return _value(wire.described(await self._service.describe(index)))

    async def insert(self, call: Call) -> object:
        return await self._write(call, "insert")

    async def upsert(self, call: Call) -> object:
        return await self._write(call, "upsert")

    async def query(self, call: Call) -> object:
        index = await self._index(call)
        query = wire.parse_query(await read_body(call.request))
        return _value(wire.matches(await self._service.query(index, query), query))

    async def get_by_ids(self, call: Call) -> object:
        index = await self._index(call)
        body = await read_body(call.request)
        ids = wire.parse_ids(body, most=HTTP_BATCH_MAX)
        return _value(wire.vectors(await self._service.get(index, ids)))

    async def delete_by_ids(self, call: Call) -> object:
        index = await self._index(call)
        body = await read_body(call.request)
        ids = wire.parse_ids(body, most=HTTP_BATCH_MAX)
        return _mutated(await self._service.mutate(index, "delete", ids=ids))

    async def list_vectors(self, call: Call) -> object:
        index = await self._index(call)
        cursor, count = messages.page(call.query)
        listing = await self._service.page(index, cursor, count)
        return messages.listed(listing, self._clock() + CURSOR_TTL_S)

    async def projection(self, call: Call) -> object:
        index, most = await self._index(call), projection.SAMPLE_MAX
        cursor, count = messages.page(call.query, default=most, most=most)
        listing = await self._service.page(index, cursor, count)
        vectors = await self._service.get(index, listing.ids)
        metric = (await self._service.index(index)).config.metric
        found = await asyncio.to_thread(projection.projected, vectors, metric)
        return {"total": listing.total, **found}

    async def create_metadata_index(self, call: Call) -> object:
        index = await self._index(call)
        path, kind = messages.new_field(await read_body(call.request))
        return _mutated(await self._service.add_metadata_index(index, path, kind))

    async def list_metadata_indexes(self, call: Call) -> object:
        index = await self._index(call)
        return messages.fields(await self._service.metadata_indexes(index))

    async def delete_metadata_index(self, call: Call) -> object:
        index = await self._index(call)
        path = messages.field(await read_body(call.request))
        return _mutated(await self._service.drop_metadata_index(index, path))

    async def compact(self, call: Call) -> object:
        index = await self._index(call)
        return {"compacted": await self._service.compact(index)}

    async def _index(self, call: Call) -> str:
        name = call.path["index"]
        await self._service.check(name)
        return name

    async def _write(self, call: Call, operation: Operation) -> object:
        index = await self._index(call)
        body = await _vectors(call)
        vectors = await asyncio.to_thread(
            wire.parse_vectors,
            body,
            as_json=messages.is_object(body),
            operation=operation,
            most=HTTP_BATCH_MAX,
            discard=call.query.get("unparsable-behavior") == "discard",
        )
        return _mutated(await self._service.mutate(index, operation, vectors=vectors))


async def _vectors(call: Call) -> bytes:
    """Return the body, or of a form the part `vectors`."""
    kind = call.request.headers.get("Content-Type", "").partition(";")[0]
    if kind.strip().lower() != "multipart/form-data":
        return await read_body(call.request)
    body = await read_part(call.request, "vectors")
    if body is None:
        raise UnreadableRequest("the form has no part named vectors")
    return body


def _refusing(answer: Method) -> Answer:
    @wraps(answer)
    async def refusing(call: Call) -> object:
        try:
            return await answer(call)
        except VectorizeError as error:
            raise ApiError(
                str(error), status=error.status, number=error.number
            ) from error

    return refusing


def _mutated(mutation_id: str) -> object:
    return {"mutationId": mutation_id}


def _value(text: bytes) -> Any:
    return msgspec.json.decode(text)
