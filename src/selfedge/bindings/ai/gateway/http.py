"""AI Gateway over HTTP, as the engine's client asks for it."""

from collections.abc import Mapping
from typing import TypeAlias
from urllib.parse import unquote

from aiohttp.web import BaseRequest, Response, StreamResponse

from selfedge.bindings.ai import wire
from selfedge.bindings.ai.errors import AiError, BadInput, NoSuchModel
from selfedge.bindings.ai.gateway import Gateway, universal, url
from selfedge.bindings.ai.service import AIService, Answer, Stream
from selfedge.bindings.ai.transfer import read_body, send_events, while_connected
from selfedge.types import Clock

LOG_HEADER = "cf-aig-log-id"
STEP_HEADER = "cf-aig-step"

Result: TypeAlias = Answer | Stream


class GatewayServer:
    """Answers below `/ai-gateway/`, but for a plain run."""

    def __init__(self, service: AIService, clock: Clock, gateway: Gateway) -> None:
        self._service = service
        self._clock = clock
        self._gateway = gateway

    async def run(self, request: BaseRequest, run: wire.Run) -> tuple[Result, str]:
        """Run through the gateway that the options name; return the log's id too.

        Raises:
            AiError: as `AIService.run`, which is in the log then.
        """
        chosen = run.options.get("gateway")
        name = chosen.get("id") if isinstance(chosen, dict) else None
        if not isinstance(name, str) or not name:
            raise BadInput("gateway.id: is required")
        began = self._clock()

        async def record(error: AiError | None = None) -> str:
            return await self._gateway.record(
                name, model=run.model, began=began, ended=self._clock(), error=error
            )

        work = self._service.run(run.model, run.inputs, run.options, run.file)
        try:
            answer = await while_connected(request, work)
        except AiError as error:
            await record(error)
            raise
        return answer, await record()

    async def handle(self, request: BaseRequest) -> StreamResponse:
        """Answer one request.

        Raises:
            AiError: it is wrong, or not served.
        """
        path = [unquote(part) for part in request.raw_path.split("?")[0].split("/")]
        match request.method, path[2:]:
            case "GET", ["gateways", name, "url", provider]:
                return _result({"url": url(name, provider)})
            case "GET", ["gateways", name, "logs", log_id]:
                return _result(self._gateway.log(name, log_id))
            case "PATCH", ["gateways", name, "logs", log_id]:
                body = wire.read_json(await read_body(request))
                return _result(await self._gateway.patch(name, log_id, body))
            case "POST", ["universal", "run", name]:
                return await self._universal(request, name)
        raise NoSuchModel(
            f"{request.method} {request.path}: selfedge does not serve this part of "
            "AI Gateway, only getUrl(), getLog(), patchLog() and run()"
        )

    async def _universal(self, request: BaseRequest, name: str) -> StreamResponse:
        """Try the requests one after the other; the last error counts."""
        wanted = universal(wire.read_json(await read_body(request)))
        last: AiError | None = None
        for step, one in enumerate(wanted):
            run = wire.Run(
                model=one.endpoint, inputs=one.query, options={"gateway": {"id": name}}
            )
            try:
                answer, log_id = await self.run(request, run)
            except AiError as error:
                last = error
                continue
            headers = {LOG_HEADER: log_id, STEP_HEADER: str(step)}
            if isinstance(answer, Stream):
                return await send_events(request, answer.events, headers)
            body = {"success": True, "result": answer.value, "errors": []}
            return _json({**body, "messages": []}, headers)
        raise last or BadInput("gateway().run: needs at least one request")


def _result(value: object) -> Response:
    return _json({"success": True, "result": value}, {})


def _json(value: object, headers: Mapping[str, str]) -> Response:
    kind = {"content-type": wire.JSON_TYPE}
    return Response(body=wire.json_body(value), headers={**headers, **kind})
