"""Workers AI over HTTP, as the engine's client speaks it."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, TypeAlias, TypeVar

from aiohttp import ClientConnectionResetError
from aiohttp.web import BaseRequest, Response, StreamResponse

from selfedge.binding import Context
from selfedge.bindings.ai import catalogue, wire
from selfedge.bindings.ai.errors import (
    Aborted,
    AiError,
    BadInput,
    InferenceFailed,
    NoSuchModel,
    RequestTooLarge,
)
from selfedge.bindings.ai.host.process import ModelHost
from selfedge.bindings.ai.limits import REQUEST_MAX_BYTES
from selfedge.bindings.ai.service import AIService, Stream

T = TypeVar("T")

WATCH_S = 0.1
"""How often a call looks whether its client is still there."""

Route: TypeAlias = Callable[[BaseRequest], Awaitable[StreamResponse]]


@asynccontextmanager
async def serve(context: Context) -> AsyncIterator["AIServer"]:
    """Serve all models; the model host starts at the first call."""
    service = AIService(
        catalogue=catalogue.load(),
        host=ModelHost(threads=inference_threads()),
        settings=context.settings,
        notice=context.notice,
    )
    try:
        yield AIServer(service)
    finally:
        await service.close()


def inference_threads() -> int:
    """Return how many threads compute: one core is left to everybody else."""
    return max(1, (os.cpu_count() or 2) - 1)


class AIServer:
    """Answers what the engine's AI client asks."""

    def __init__(self, service: AIService) -> None:
        self._service = service

    async def handle(self, _resource: str, request: BaseRequest) -> StreamResponse:
        """Answer one request; never raises for bad input."""
        route, describe = self._route(request)
        try:
            return await route(request)
        except AiError as error:
            return _json(describe(error), error.status)
        except Exception as error:  # noqa: BLE001 - a defect is described, not hidden
            failure = InferenceFailed(
                f"Internal error: {type(error).__name__}: {error}"
            )
            return _json(describe(failure), failure.status)

    def _route(self, request: BaseRequest) -> tuple[Route, Callable[[AiError], object]]:
        match request.method, request.path:
            case "POST", "/run" | "/ai-gateway/run":
                return self._run, wire.error_value
            case "GET", "/run":
                return _no_websocket, wire.error_value
            case "GET", "/ai-api/models/search":
                return self._models, wire.envelope_error
            case _:
                return _not_served, wire.envelope_error

    async def _run(self, request: BaseRequest) -> StreamResponse:
        run = wire.read_run(request.headers, request.query, await _body(request))
        computing = self._service.run(run.model, run.inputs, run.options)
        answer = await _while_connected(request, computing)
        headers = {
            wire.SERVED_HEADER: answer.served,
            wire.REQUEST_ID_HEADER: str(uuid.uuid4()),
        }
        if isinstance(answer, Stream):
            return await _stream(request, answer, headers)
        return _json(answer.value, 200, headers)

    async def _models(self, request: BaseRequest) -> StreamResponse:
        return _json({"success": True, "result": self._service.models(request.query)})


async def _no_websocket(_request: BaseRequest) -> StreamResponse:
    raise BadInput("websocket: not supported, use stream: true")


async def _not_served(request: BaseRequest) -> StreamResponse:
    raise NoSuchModel(
        f"{request.method} {request.path}: selfedge does not serve this part of "
        "Workers AI yet, only run() and models()"
    )


async def _body(request: BaseRequest) -> bytes:
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > REQUEST_MAX_BYTES:
            raise RequestTooLarge(
                f"Request is too large: over {REQUEST_MAX_BYTES // 1024**2} MiB"
            )
    return bytes(body)


async def _while_connected(request: BaseRequest, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`, which is cancelled when the client goes away."""
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait([task], timeout=WATCH_S))[0]:
            if request.transport is None or request.transport.is_closing():
                raise Aborted("Request was aborted: the client went away")
        return task.result()
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _stream(
    request: BaseRequest, answer: Stream, headers: dict[str, str]
) -> StreamResponse:
    stream = {"content-type": wire.STREAM_TYPE, "cache-control": "no-cache"}
    response = StreamResponse(headers={**headers, **stream})
    with suppress(Aborted, ClientConnectionResetError):
        await response.prepare(request)
        complete = await _while_connected(request, _pump(answer, response))
        if not complete and request.transport:
            request.transport.close()
    return response


async def _pump(answer: Stream, response: StreamResponse) -> bool:
    """Write all events; return whether the answer came to its end."""
    async with aclosing(answer.events) as events:
        try:
            async for event in events:
                await response.write(wire.event(event))
        except AiError as error:
            # The status is sent. Say what happened, and cut the body short, so that
            # no reader takes it for a complete answer.
            await response.write(wire.event(wire.error_value(error)))
            return False
        await response.write(wire.END_OF_STREAM)
        return True


def _json(
    value: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return Response(
        body=wire.json_body(value),
        status=status,
        headers={**(headers or {}), "content-type": wire.JSON_TYPE},
    )
