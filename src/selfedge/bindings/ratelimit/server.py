"""Rate limits over HTTP, as our module in the engine asks for them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientError
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import BaseRequest, Response, StreamResponse

from selfedge.api.reply import Reply, drained
from selfedge.binding import Context
from selfedge.bindings.ratelimit import wire
from selfedge.bindings.ratelimit.errors import RateLimitError
from selfedge.bindings.ratelimit.limits import BODY_MAX_BYTES, DRAIN_MAX_BYTES
from selfedge.bindings.ratelimit.service import RateLimits


@asynccontextmanager
async def serve(context: Context) -> AsyncIterator["RateLimitServer"]:
    """Answer for as long as the context lasts."""
    yield RateLimitServer(RateLimits(context.clock))


class RateLimitServer:
    """Answers calls for a namespace."""

    def __init__(self, limits: RateLimits) -> None:
        self.limits = limits

    async def handle(self, resource: str, request: BaseRequest) -> StreamResponse:
        """Answer one call for the namespace `resource`."""
        try:
            body = await _body(request)
            allowed = self.limits.allowed(resource, wire.checks(body))
            return Reply(200, wire.answer(allowed))
        except RateLimitError as error:
            await drained(request, most_bytes=DRAIN_MAX_BYTES)
            return Response(status=400, text=str(error))
        except (ConnectionError, ClientError, HttpProcessingError):
            return Response(status=400, text="The call was cut short.")


async def _body(request: BaseRequest) -> bytes:
    if (request.content_length or 0) > BODY_MAX_BYTES:
        raise RateLimitError(f"A call has at most {BODY_MAX_BYTES} bytes.")
    body = await request.content.read(BODY_MAX_BYTES + 1)
    rest = body
    while rest and len(body) <= BODY_MAX_BYTES:
        rest = await request.content.read(BODY_MAX_BYTES + 1 - len(body))
        body += rest
    return body
