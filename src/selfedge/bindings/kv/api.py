"""KV in the control API: what wrangler and the SDKs ask."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from functools import wraps
from typing import Any

import msgspec
from aiohttp.web import StreamResponse

from selfedge.api.body import read_bytes
from selfedge.api.paging import numbered
from selfedge.binding import Answer, Call, Context, Page, Route
from selfedge.bindings.kv import errors, rest, rules, wire
from selfedge.bindings.kv.errors import KVError
from selfedge.bindings.kv.model import Value
from selfedge.bindings.kv.rest.forms import is_form, read_form
from selfedge.bindings.kv.server import KVServer
from selfedge.errors import ApiError, StorageError
from selfedge.types import Clock

UNAVAILABLE = 10001
NOT_THERE = 10041  # what a Worker is to be bound to
BULK_MAX_BYTES = 100 * 1024 * 1024
_SMALL_MAX_BYTES = 1024 * 1024
_TOGETHER = 256  # writes that share commits
_ALL = "/accounts/{account}/storage/kv/namespaces"
_ONE = f"{_ALL}/{{namespace}}"

Method = Callable[[Call], Awaitable[object]]


def routes(server: KVServer, context: Context) -> Sequence[Route]:
    """Return the routes over the running service."""
    api = _Api(server, context.clock)
    return [
        Route(method=method, path=path, answer=_refusing(answer), needs=needs)
        for method, path, answer, needs in (
            ("GET", _ALL, api.list, None),
            ("POST", _ALL, api.create, None),
            ("GET", _ONE, api.get, None),
            ("PUT", _ONE, api.rename, None),
            ("DELETE", _ONE, api.delete, None),
            ("GET", f"{_ONE}/keys", api.keys, None),
            ("GET", f"{_ONE}/values/{{key...}}", api.value, None),
            ("PUT", f"{_ONE}/values/{{key...}}", api.put, None),
            ("DELETE", f"{_ONE}/values/{{key...}}", api.delete_key, None),
            ("GET", f"{_ONE}/metadata/{{key...}}", api.metadata, None),
            ("PUT", f"{_ONE}/bulk", api.bulk_put, None),
            ("DELETE", f"{_ONE}/bulk", api.bulk_delete, None),
            ("POST", f"{_ONE}/bulk/delete", api.bulk_delete, None),
            ("POST", f"{_ONE}/bulk/get", api.bulk_get, "read"),
        )
    ]


async def check(server: KVServer, entry: Mapping[str, Any]) -> None:
    """Check that the namespace is there which an entry of an upload names.

    Raises:
        ApiError: it is not.
    """
    wanted = entry["namespace_id"]
    try:
        await server.namespaces.get(wanted)
    except errors.NamespaceNotFound as error:
        raise ApiError(
            f"KV namespace {wanted[:80]!r} not found, to which {entry['name']!r} is "
            "bound. Create one with `wrangler kv namespace create` and bind its id, or "
            "leave the id out: deploying makes one.",
            status=400,
            number=NOT_THERE,
        ) from error


class _Api:
    """Each method answers one route; all but `create` and `list` name a namespace."""

    def __init__(self, server: KVServer, clock: Clock) -> None:
        self._service = server.service
        self._namespaces = server.namespaces
        self._clock = clock

    async def list(self, call: Call) -> object:
        found = await self._namespaces.every()
        page = numbered(rest.sorted_namespaces(found, call.query), call.query)
        shown = [rest.shown(one) for one in page.items]  # type: ignore[attr-defined]
        return Page(items=shown, info=page.info)

    async def create(self, call: Call) -> object:
        title = rest.title(await read_bytes(call, most_bytes=_SMALL_MAX_BYTES))
        return rest.shown(await self._namespaces.create(title))

    async def get(self, call: Call) -> object:
        return rest.shown(await self._namespaces.get(call.path["namespace"]))

    async def rename(self, call: Call) -> object:
        namespace = await self._namespace(call)
        title = rest.title(await read_bytes(call, most_bytes=_SMALL_MAX_BYTES))
        return rest.shown(await self._namespaces.rename(namespace, title))

    async def delete(self, call: Call) -> object:
        await self._namespaces.delete(call.path["namespace"])
        return {}

    async def keys(self, call: Call) -> object:
        page = await self._service.list(
            await self._namespace(call),
            prefix=call.query.get("prefix", ""),
            limit=rest.list_limit(call.query),
            cursor=call.query.get("cursor") or None,
        )
        shown = [rest.shown_key(key) for key in page.keys]
        return Page(
            items=shown, info={"count": len(shown), "cursor": page.cursor or ""}
        )

    async def value(self, call: Call) -> object:
        return await _sent(await self._found(call), call)

    async def metadata(self, call: Call) -> object:
        async with aclosing(await self._found(call)) as value:
            return None if value.metadata is None else _raw(value.metadata)

    async def put(self, call: Call) -> object:
        namespace, key = await self._namespace(call), call.path["key"]
        rules.key_bytes(key)
        if is_form(call.request):
            value, metadata = await read_form(call.request)
            line = None if metadata is None else rest.metadata_text(metadata)
            options = wire.put_options(call.query, line)
            await self._service.put(namespace, key, value, options)
            return {}
        rules.check_size(call.request.content_length or 0)
        options = wire.put_options(call.query, None)
        stream = call.request.content.iter_any()
        await self._service.put(namespace, key, stream, options)
        return {}

    async def delete_key(self, call: Call) -> object:
        await self._service.delete(await self._namespace(call), call.path["key"])
        return {}

    async def bulk_put(self, call: Call) -> object:
        namespace = await self._namespace(call)
        body = await read_bytes(call, most_bytes=BULK_MAX_BYTES)
        asked = await asyncio.to_thread(rest.writes, body, int(self._clock()))
        del body
        await _together(
            self._service.put(namespace, one.key, one.value, one.options)
            for one in asked
        )
        return rest.bulk_result(len(asked))

    async def bulk_delete(self, call: Call) -> object:
        namespace = await self._namespace(call)
        body = await read_bytes(call, most_bytes=BULK_MAX_BYTES)
        keys = await asyncio.to_thread(rest.keys, body)
        await _together(self._service.delete(namespace, key) for key in keys)
        return rest.bulk_result(len(keys))

    async def bulk_get(self, call: Call) -> object:
        namespace = await self._namespace(call)
        asked = wire.bulk_body(await read_bytes(call, most_bytes=_SMALL_MAX_BYTES))
        found = await self._service.bulk_get(namespace, asked.keys)
        return {"values": msgspec.Raw(wire.bulk_json(asked, found))}

    async def _namespace(self, call: Call) -> str:
        return (await self._namespaces.get(call.path["namespace"])).id

    async def _found(self, call: Call) -> Value:
        key = call.path["key"]
        value = await self._service.get(await self._namespace(call), key)
        if value is None:
            raise errors.KeyNotFound(key)
        return value


async def _sent(value: Value, call: Call) -> StreamResponse:
    response = StreamResponse(headers={"Content-Type": "application/octet-stream"})
    response.content_length = value.size
    if value.expiration is not None:
        response.headers["Expiration"] = str(value.expiration)
    async with aclosing(value):
        await response.prepare(call.request)
        if value.chunks is None:
            await response.write(value.inline)
            return response
        async for chunk in value.chunks:
            await response.write(chunk)
    return response


async def _together(writes: Iterable[Awaitable[None]]) -> None:
    """Await all, some at a time; the first that fails is raised when all have ended.

    Raises:
        StorageError: the disk is full or failing.
    """
    waiting: list[Awaitable[None]] = []
    for write in writes:
        waiting.append(write)
        if len(waiting) == _TOGETHER:
            await _all(waiting)
            waiting = []
    await _all(waiting)


async def _all(waiting: Iterable[Awaitable[None]]) -> None:
    for outcome in await asyncio.gather(*waiting, return_exceptions=True):
        if outcome is not None:
            raise outcome


def _raw(metadata: str) -> msgspec.Raw:
    return msgspec.Raw(metadata.encode())


def _refusing(answer: Method) -> Answer:
    @wraps(answer)
    async def refusing(call: Call) -> object:
        try:
            return await answer(call)
        except KVError as error:
            raise ApiError(
                str(error), status=error.status, number=error.number
            ) from error
        except StorageError as error:
            raise ApiError(str(error), status=500, number=UNAVAILABLE) from error

    return refusing
