"""R2 in the control API: what wrangler and the SDKs ask."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import wraps
from typing import Any, TypeAlias

from aiohttp.web import Response, StreamResponse

from selfedge.api.body import read_as
from selfedge.api.reply import drained
from selfedge.binding import Answer, Call, Context, Page, Route
from selfedge.bindings.r2 import errors, limits
from selfedge.bindings.r2.buckets import HERE
from selfedge.bindings.r2.config import parse, uploaded
from selfedge.bindings.r2.errors import R2Error
from selfedge.bindings.r2.model import Found
from selfedge.bindings.r2.rest import headers, messages
from selfedge.bindings.r2.server import DRAIN_MAX_BYTES, R2Server
from selfedge.errors import ApiError, StorageError

NOT_THERE = 10085  # what a Worker is to be bound to
_BUCKETS = "/accounts/{account}/r2/buckets"
_BUCKET = f"{_BUCKETS}/{{bucket}}"
_OBJECT = f"{_BUCKET}/objects/{{key...}}"
_FIGURES = "/accounts/{account}/graphql/r2StorageAdaptiveGroups"

Method: TypeAlias = Callable[[Call], Awaitable[object]]


def routes(server: R2Server, context: Context) -> Sequence[Route]:
    """Return the routes over the running service."""
    api = _Api(server, context)
    upload = Route(
        method="PUT",
        path=_OBJECT,
        answer=_refusing(api.put),
        most_bytes=limits.VALUE_MAX_BYTES,
    )
    return [
        upload,
        *(
            Route(method=method, path=path, answer=_refusing(answer))
            for method, path, answer in (
                ("POST", _BUCKETS, api.create),
                ("GET", _BUCKETS, api.list),
                ("GET", _BUCKET, api.get),
                ("PATCH", _BUCKET, api.update),
                ("DELETE", _BUCKET, api.delete),
                ("GET", f"{_BUCKET}/usage", api.usage),
                ("GET", f"{_BUCKET}/objects", api.list_objects),
                ("GET", _OBJECT, api.get_object),
                ("HEAD", _OBJECT, api.get_object),
                ("DELETE", _OBJECT, api.delete_object),
                ("POST", _FIGURES, api.figures),
            )
        ),
    ]


async def check(server: R2Server, entry: Mapping[str, Any]) -> None:
    """Check that the bucket is there which an entry of an upload names.

    Raises:
        ApiError: it is not.
    """
    (wanted,) = parse(uploaded([entry]))
    try:
        await server.r2.buckets.find(wanted.bucket)
    except errors.NoSuchBucket as error:
        raise ApiError(
            f"R2 bucket {wanted.bucket[:80]!r} not found, to which {entry['name']!r} "
            "is bound. Create it with `wrangler r2 bucket create`, or name another.",
            status=400,
            number=NOT_THERE,
        ) from error


class _Api:
    """Each method answers one route."""

    def __init__(self, server: R2Server, context: Context) -> None:
        self._r2 = server.r2
        self._clock = context.clock

    async def create(self, call: Call) -> object:
        asked = await read_as(call, messages.NewBucket)
        made = await self._r2.buckets.create(
            messages.bucket_name(asked.name, _jurisdiction(call)),
            storage_class=asked.storage_class,
            location=asked.location_hint.upper() or HERE,
        )
        return messages.bucket(made)

    async def list(self, call: Call) -> object:
        found = await self._r2.buckets.all()
        part, cursor = messages.buckets(found, call.query, _jurisdiction(call))
        shown = [messages.bucket(one) for one in part]
        info = {"cursor": cursor, "per_page": len(shown)}
        return Page(items={"buckets": shown}, info=info)

    async def get(self, call: Call) -> object:
        return messages.bucket(await self._r2.buckets.find(_bucket(call)))

    async def update(self, call: Call) -> object:
        chosen = call.request.headers.get(headers.STORAGE_CLASS, "")
        return messages.bucket(await self._r2.buckets.update(_bucket(call), chosen))

    async def delete(self, call: Call) -> object:
        await self._r2.delete_bucket(_bucket(call))
        return {}

    async def usage(self, call: Call) -> object:
        return messages.usage(await self._r2.usage(await self._known(call)))

    async def figures(self, call: Call) -> object:
        bucket = messages.figured(call.query.get("bucketName", ""))
        now = messages.time(int(self._clock() * 1000))
        return messages.dataset(await self._r2.usage(bucket), now)

    async def list_objects(self, call: Call) -> object:
        query = messages.list_query(call.query)
        page = await self._r2.list(await self._known(call), query)
        items = [messages.listed(found) for found in page.objects]
        return Page(items=items, info=messages.list_info(page, query.limit))

    async def put(self, call: Call) -> object:
        try:
            return await self._put(call)
        except (R2Error, StorageError):
            # else the client sees no answer
            await drained(call.request, most_bytes=DRAIN_MAX_BYTES)
            raise

    async def get_object(self, call: Call) -> object:
        bucket, asked = await self._known(call), call.request.headers
        span = asked.get("Range")
        try:
            found = await self._r2.get(
                bucket,
                call.path["key"],
                asked=span,
                conditions=headers.conditions(asked),
            )
        except errors.PreconditionFailed:
            status = headers.unmet(asked)
            if status != 304:
                raise
            return Response(status=status)
        return await _sent(call, found)

    async def delete_object(self, call: Call) -> object:
        key = call.path["key"]
        await self._r2.delete(await self._known(call), [key])
        return {"key": key}

    async def _put(self, call: Call) -> object:
        bucket, request = await self._known(call), call.request
        options = headers.options(request.headers)
        size = request.content_length
        made = await self._r2.put(
            bucket, call.path["key"], request.content.iter_any(), options, size=size
        )
        return messages.stored(made)

    async def _known(self, call: Call) -> str:
        """Return the bucket of a call, which is there."""
        return (await self._r2.buckets.find(_bucket(call))).name


async def _sent(call: Call, found: Found) -> StreamResponse:
    """Answer with an object, or with the part of it that was asked for."""
    shown = headers.shown(found.object)
    whole = found.length == found.object.size
    if not whole:
        shown["Content-Range"] = headers.content_range(found)
    response = StreamResponse(status=200 if whole else 206, headers=shown)
    response.content_length = found.length
    async with aclosing(found):
        await response.prepare(call.request)
        if call.request.method == "HEAD":
            return response
        if found.stream is None:
            await response.write(found.inline)
            return response
        async for chunk in found.stream.chunks:
            await response.write(chunk)
    return response


def _jurisdiction(call: Call) -> str:
    return call.request.headers.get(headers.JURISDICTION, "")


def _bucket(call: Call) -> str:
    return messages.bucket_name(call.path["bucket"], _jurisdiction(call))


def _refusing(answer: Method) -> Answer:
    @wraps(answer)
    async def refusing(call: Call) -> object:
        try:
            return await answer(call)
        except R2Error as error:
            raise ApiError(
                str(error), status=error.status, number=error.number
            ) from error
        except StorageError as error:
            raise ApiError(str(error), status=500, number=errors.INTERNAL) from error

    return refusing
