"""Workers AI over HTTP, as the engine's client speaks it."""

import os
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeAlias

from aiohttp.web import BaseRequest, Response, StreamResponse

from selfedge.binding import Context, Figure
from selfedge.bindings.ai import catalogue, wire
from selfedge.bindings.ai.batches.kept import Kept
from selfedge.bindings.ai.catalogue import overlay
from selfedge.bindings.ai.errors import AiError, BadInput, InferenceFailed, NoSuchModel
from selfedge.bindings.ai.gateway import Gateway
from selfedge.bindings.ai.gateway.http import LOG_HEADER, GatewayServer
from selfedge.bindings.ai.gateway.kept import KeptLogs
from selfedge.bindings.ai.host.borrowed import Borrowed, Host
from selfedge.bindings.ai.host.process import ModelHost
from selfedge.bindings.ai.service import AIService, Stream
from selfedge.bindings.ai.tasks import numbers, to_markdown
from selfedge.bindings.ai.tasks.contract import File
from selfedge.bindings.ai.transfer import read_body, send_events, while_connected
from selfedge.settings import Settings
from selfedge.types import Clock, Notice

Route: TypeAlias = Callable[[BaseRequest], Awaitable[StreamResponse]]


@asynccontextmanager
async def serve(context: Context) -> AsyncIterator["AIServer"]:
    """Serve all models; the model host starts at the first call of any account."""
    records = context.storage.records("ai")
    gateway = Gateway(KeptLogs(records))
    hosting = partial(_hosting, context.notice)
    async with context.shared.lent("ai.host", hosting) as host:
        service = build(context.settings, context.notice, Kept(records), Borrowed(host))
        try:
            await gateway.resume()
            await service.resume()
            yield AIServer(service, context.clock, gateway)
        finally:
            await service.close()


@asynccontextmanager
async def _hosting(notice: Notice) -> AsyncIterator[ModelHost]:
    host = _host(notice)
    try:
        yield host
    finally:
        await host.close()


def _host(notice: Notice) -> ModelHost:
    return ModelHost(threads=inference_threads(), notice=notice)


def build(
    settings: Settings,
    notice: Notice,
    kept: Kept | None = None,
    host: Host | None = None,
) -> AIService:
    """Return the service of an account, or of a command (with a host of its own).

    Raises:
        UsageError: the project's own models are wrong.
    """
    models = catalogue.load()
    if file := settings.project_file:
        models = overlay.overlaid(models, overlay.read(file), file.parent)
    return AIService(
        catalogue=models,
        host=host or _host(notice),
        settings=settings,
        notice=notice,
        kept=kept,
    )


def inference_threads() -> int:
    """Return how many threads compute: one core is left to everybody else."""
    return max(1, (os.cpu_count() or 2) - 1)


class AIServer:
    """Answers what the engine's AI client asks."""

    def __init__(
        self,
        service: AIService,
        clock: Clock = time.time,
        gateway: Gateway | None = None,
    ) -> None:
        self.service = service
        self._gateway = GatewayServer(service, clock, gateway or Gateway())

    def figures(self) -> Iterable[Figure]:
        """Return what was counted of models."""
        return self.service.meter.figures()

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
        path = request.path
        routes: Mapping[tuple[str, str], Route] = {
            ("POST", "/run"): self._run,
            ("POST", "/ai-gateway/run"): self._run,
            ("GET", "/run"): _no_websocket,
            ("GET", "/ai-api/models/search"): self._models,
            ("POST", "/to-everything/markdown/transformer"): self._to_markdown,
            ("GET", "/to-everything/markdown/supported"): _readable,
        }
        is_run = path.endswith("/run") or path.startswith("/ai-gateway/universal/")
        describe = wire.error_value if is_run else wire.envelope_error
        below_gateway = path.startswith("/ai-gateway/")
        other = self._gateway.handle if below_gateway else _not_served
        return routes.get((request.method, path), other), describe

    async def _run(self, request: BaseRequest) -> StreamResponse:
        run = await numbers.read(
            lambda body: wire.read_run(request.headers, request.query, body),
            await read_body(request),
        )
        log = {}
        if run.options.get("gateway"):
            answer, log[LOG_HEADER] = await self._gateway.run(request, run)
        else:
            work = self.service.run(run.model, run.inputs, run.options, run.file)
            answer = await while_connected(request, work)
        headers = {
            **log,
            wire.SERVED_HEADER: answer.served,
            wire.REQUEST_ID_HEADER: str(uuid.uuid4()),
        }
        if isinstance(answer, Stream):
            return await send_events(request, answer.events, headers)
        if isinstance(answer.value, File):
            kind = {"content-type": answer.value.content_type}
            return Response(body=answer.value.content, headers={**headers, **kind})
        return _json(answer.value, 200, headers)

    async def _models(self, request: BaseRequest) -> StreamResponse:
        return _json({"success": True, "result": self.service.models(request.query)})

    async def _to_markdown(self, request: BaseRequest) -> StreamResponse:
        converting = self.service.to_markdown(wire.read_json(await read_body(request)))
        found = await while_connected(request, converting)
        return _json({"success": True, "result": found})


async def _readable(_request: BaseRequest) -> StreamResponse:
    return _json({"success": True, "result": to_markdown.supported()})


async def _no_websocket(_request: BaseRequest) -> StreamResponse:
    raise BadInput("websocket: not supported, use stream: true")


async def _not_served(request: BaseRequest) -> StreamResponse:
    raise NoSuchModel(
        f"{request.method} {request.path}: selfedge does not serve this part of "
        "Workers AI yet, only run(), models() and toMarkdown()"
    )


def _json(
    value: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return Response(
        body=wire.json_body(value),
        status=status,
        headers={**(headers or {}), "content-type": wire.JSON_TYPE},
    )
