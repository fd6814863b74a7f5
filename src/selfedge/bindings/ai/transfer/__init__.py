"""What every surface of Workers AI does alike: take a body in, send an answer out."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing, suppress
from typing import Any, TypeAlias, TypeVar

from aiohttp import ClientConnectionResetError
from aiohttp.web import BaseRequest, StreamResponse

from selfedge.bindings.ai import wire
from selfedge.bindings.ai.errors import Aborted, AiError, RequestTooLarge
from selfedge.bindings.ai.limits import REQUEST_MAX_BYTES

T = TypeVar("T")

WATCH_S = 0.1
"""How often a call looks whether its client is still there."""

DescribeError: TypeAlias = Callable[[AiError], object]


async def read_body(request: BaseRequest) -> bytes:
    """Return the whole body.

    Raises:
        RequestTooLarge: it is over the limit.
    """
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > REQUEST_MAX_BYTES:
            raise RequestTooLarge(
                f"Request is too large: over {REQUEST_MAX_BYTES // 1024**2} MiB"
            )
    return bytes(body)


async def while_connected(request: BaseRequest, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`, which is cancelled when the client goes away.

    Raises:
        Aborted: the client has gone.
    """
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait([task], timeout=WATCH_S))[0]:
            if request.transport is None or request.transport.is_closing():
                raise Aborted("Request was aborted: the client went away")
        return task.result()
    finally:
        task.cancel()
        await asyncio.wait([task])


async def send_events(
    request: BaseRequest,
    events: AsyncGenerator[object, None],
    headers: dict[str, str],
    describe: DescribeError = wire.error_value,
) -> StreamResponse:
    """Send each event as it comes; an error after the first cuts the body short."""
    stream = {"content-type": wire.STREAM_TYPE, "cache-control": "no-cache"}
    response = StreamResponse(headers={**headers, **stream})
    with suppress(Aborted, ClientConnectionResetError):
        await response.prepare(request)
        sending = _pump(events, response, describe)
        complete = await while_connected(request, sending)
        if not complete and request.transport:
            request.transport.close()
    return response


async def _pump(
    source: AsyncGenerator[object, None],
    response: StreamResponse,
    describe: DescribeError,
) -> bool:
    """Write all events; return whether the answer came to its end."""
    async with aclosing(source) as events:
        try:
            async for event in events:
                await response.write(wire.event(event))
        except AiError as error:
            # The status is sent. Say what happened, and cut the body short, so that
            # no reader takes it for a complete answer.
            await response.write(wire.event(describe(error)))
            return False
        await response.write(wire.END_OF_STREAM)
        return True
