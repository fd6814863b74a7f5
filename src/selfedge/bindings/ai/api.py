"""Workers AI in the control API: `ai/run`, the catalogue, and OpenAI's `ai/v1`."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from aiohttp.web import Response, StreamResponse

from selfedge.api.paging import numbered, whole_list
from selfedge.binding import Answer, Call, Context, Page, Route
from selfedge.bindings.ai import wire
from selfedge.bindings.ai.catalogue import listing
from selfedge.bindings.ai.errors import (
    AiError,
    BadInput,
    IncompleteRequest,
    InferenceFailed,
)
from selfedge.bindings.ai.openai import chat, completions, embeddings, models
from selfedge.bindings.ai.openai.answers import Head
from selfedge.bindings.ai.openai.errors import error_body, http_status
from selfedge.bindings.ai.openai.requests import decode
from selfedge.bindings.ai.server import AIServer
from selfedge.bindings.ai.service import AIService, Stream
from selfedge.bindings.ai.tasks import numbers, to_markdown
from selfedge.bindings.ai.tasks.contract import File
from selfedge.bindings.ai.tasks.schemas import schemas
from selfedge.bindings.ai.transfer import read_body, send_events, while_connected
from selfedge.bindings.ai.transfer.files import read_files
from selfedge.errors import ApiError
from selfedge.types import Clock

_AI = "/accounts/{account}/ai"
_OPENAI = f"{_AI}/v1"
_CHAT, _EMBED = models.TASKS


def routes(server: AIServer, context: Context) -> Sequence[Route]:
    """Return all routes over the service that the Workers' binding uses."""
    return [
        *NativeApi(server.service).routes(),
        *OpenAIApi(server.service, context.clock).routes(),
    ]


class NativeApi:
    """Cloudflare's own routes; answers come in the envelope."""

    def __init__(self, service: AIService) -> None:
        self._service = service

    def routes(self) -> Sequence[Route]:
        """Return them."""
        return [
            _computes(f"{_AI}/run/{{model...}}", self._run),
            Route(method="GET", path=f"{_AI}/models/search", answer=self._models),
            Route(method="GET", path=f"{_AI}/models/schema", answer=self._schema),
            Route(method="GET", path=f"{_AI}/tasks/search", answer=self._tasks),
            Route(method="GET", path=f"{_AI}/authors/search", answer=self._authors),
            _computes(f"{_AI}/tomarkdown", self._to_markdown),
            Route(method="GET", path=f"{_AI}/tomarkdown/supported", answer=_readable),
        ]

    async def _run(self, call: Call) -> object:
        try:
            return await self._answer(call)
        except AiError as error:
            raise _api_error(error) from error

    async def _answer(self, call: Call) -> object:
        body = await read_body(call.request)
        sent = call.request.headers.get("content-type", "")
        inputs, file = await numbers.read(lambda body: read_inputs(body, sent), body)
        options = {"queueRequest": True} if _true(call, "queueRequest") else {}
        computing = self._service.run(call.path["model"], inputs, options, file)
        found = await while_connected(call.request, computing)
        if isinstance(found, Stream):
            headers = _headers(found.served)
            return await send_events(call.request, found.events, headers)
        if isinstance(found.value, File):
            kind = {"content-type": found.value.content_type}
            headers = {**_headers(found.served), **kind}
            return Response(body=found.value.content, headers=headers)
        return found.value

    async def _to_markdown(self, call: Call) -> object:
        try:
            files = await read_files(call.request)
            converting = self._service.to_markdown({"files": files})
            return await while_connected(call.request, converting)
        except AiError as error:
            raise _api_error(error) from error

    async def _models(self, call: Call) -> Page:
        found = listing.matching(self._service.catalogue, call.query)
        page = numbered(found, call.query, default=listing.PER_PAGE)
        models: Sequence[Any] = page.items  # type: ignore[assignment]
        return Page(items=[listing.entry(model) for model in models], info=page.info)

    async def _schema(self, call: Call) -> Mapping[str, object]:
        try:
            return schemas(self._service.model(call.query.get("model", "")).task)
        except AiError as error:
            raise _api_error(error) from error

    async def _tasks(self, call: Call) -> Page:
        return whole_list(listing.tasks(self._service.catalogue), call.query)

    async def _authors(self, call: Call) -> Page:
        names = sorted({model.author for model in self._service.catalogue})
        return whole_list([{"id": name, "name": name} for name in names], call.query)


def _computes(path: str, answer: Answer) -> Route:
    """Return a route that takes a body and changes nothing."""
    return Route(method="POST", path=path, answer=answer, needs="read")


async def _readable(_call: Call) -> object:
    return to_markdown.supported()


def read_inputs(body: bytes, content_type: str) -> tuple[object, File | None]:
    """Return the inputs of one run: JSON, or else the bytes of an image or a sound.

    The header does not decide: curl calls everything a form.

    Raises:
        IncompleteRequest: the body says that it is JSON, and is none.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind != wire.JSON_TYPE and body.lstrip()[:1] != b"{":
        return {}, File(body, kind or "application/octet-stream")
    try:
        return numbers.decode(body), None
    except (msgspec.DecodeError, RecursionError) as error:
        raise IncompleteRequest(
            f"Request is missing headers or body: the body is no JSON ({error})"
        ) from error


def _true(call: Call, name: str) -> bool:
    return call.query.get(name, "").lower() == "true"


def _api_error(error: AiError) -> ApiError:
    return ApiError(str(error), status=error.status, number=error.internal_code)


def _headers(served: str) -> dict[str, str]:
    return {wire.SERVED_HEADER: served, wire.REQUEST_ID_HEADER: str(uuid.uuid4())}


class OpenAIApi:
    """The routes of OpenAI's clients; answers come as those expect them."""

    def __init__(self, service: AIService, clock: Clock) -> None:
        self._service = service
        self._clock = clock

    def routes(self) -> Sequence[Route]:
        """Return them."""
        posts = {
            "chat/completions": self._chat,
            "completions": self._completions,
            "embeddings": self._embeddings,
        }
        gets = {"models": self._models, "models/{model...}": self._model}
        return [
            *(self._route("POST", path, answer) for path, answer in posts.items()),
            *(self._route("GET", path, answer) for path, answer in gets.items()),
        ]

    def _route(self, method: str, path: str, answer: Answer) -> Route:
        async def guarded(call: Call) -> StreamResponse:
            try:
                found = await answer(call)
            except AiError as error:
                return _failed(error)
            except Exception as error:  # noqa: BLE001 - described, in OpenAI's shape
                return _failed(
                    InferenceFailed(f"Internal error: {type(error).__name__}: {error}")
                )
            return found if isinstance(found, StreamResponse) else _json(found, 200)

        return Route(
            method=method, path=f"{_OPENAI}/{path}", answer=guarded, needs="read"
        )

    async def _chat(self, call: Call) -> object:
        asked = decode(await read_body(call.request), chat.ChatRequest)
        found = await self._run(call, _CHAT, asked.model, chat.inputs(asked))
        head = self._head("chatcmpl", asked.model)
        if isinstance(found, Stream):
            pieces = chat.pieces(found.events, asked, head)
            headers = _headers(found.served)
            return await send_events(call.request, pieces, headers, error_body)
        return chat.whole(found.value, asked, head)

    async def _completions(self, call: Call) -> object:
        asked = decode(await read_body(call.request), completions.CompletionRequest)
        head = self._head("cmpl", asked.model)
        first, *more = [
            await self._run(call, _CHAT, asked.model, inputs)
            for inputs in completions.inputs(asked)
        ]
        if isinstance(first, Stream):
            pieces = completions.pieces(first.events, asked, head)
            headers = _headers(first.served)
            return await send_events(call.request, pieces, headers, error_body)
        values = [found.value for found in (first, *more)]
        return completions.whole(values, asked, head)

    async def _embeddings(self, call: Call) -> object:
        asked = decode(await read_body(call.request), embeddings.EmbeddingsRequest)
        inputs = embeddings.inputs(asked)
        found = await self._run(call, _EMBED, asked.model, inputs)
        return embeddings.whole(found.value, asked, found.tokens)

    async def _models(self, _call: Call) -> object:
        return models.listing(self._service.catalogue)

    async def _model(self, call: Call) -> object:
        return models.one(self._service.catalogue, call.path["model"])

    async def _run(
        self, call: Call, task: str, model: str, inputs: Mapping[str, object]
    ) -> Any:
        own = self._service.model(model).task
        if own != task:
            raise BadInput(f"model: {model} does {own}, not {task}")
        computing = self._service.run(model, inputs, {})
        return await while_connected(call.request, computing)

    def _head(self, prefix: str, model: str) -> Head:
        return Head(
            id=f"{prefix}-{uuid.uuid4().hex}", created=int(self._clock()), model=model
        )


def _failed(error: AiError) -> Response:
    return _json(error_body(error), http_status(error))


def _json(value: object, status: int) -> Response:
    return Response(
        body=wire.json_body(value),
        status=status,
        headers={"content-type": wire.JSON_TYPE},
    )
