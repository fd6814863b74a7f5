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
    with _Watch(request):
        return await work


class _Watch:
    """Looks whether the client is there, and else cancels the task that it is in."""

    def __init__(self, request: BaseRequest) -> None:
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._timer = self._loop.call_later(WATCH_S, self._look)
        self._gone = False

    def __enter__(self) -> None:
        """Nothing to do: it watches already."""

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        self._timer.cancel()
        if not self._gone or not self._task or self._task.uncancel() > 0:
            return
        if isinstance(error, asyncio.CancelledError):
            raise Aborted("Request was aborted: the client went away") from error

    def _look(self) -> None:
        transport = self._request.transport
        if transport is not None and not transport.is_closing():
            self._timer = self._loop.call_later(WATCH_S, self._look)
            return
        self._gone = True
        if self._task:
            self._task.cancel()


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
