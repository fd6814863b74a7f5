"""Asks models: those of the node that runs here, or else in this very process."""

import asyncio
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import msgspec

from selfedge.bindings.ai.errors import AiError
from selfedge.bindings.ai.service import AIService, Stream
from selfedge.bindings.ai.tasks.contract import File
from selfedge.client.address import locate
from selfedge.client.api import Api, segment
from selfedge.errors import ApiError, NodeError, SelfedgeError, UsageError
from selfedge.settings import Settings
from selfedge.types import Environ, Notice

Inputs: TypeAlias = Mapping[str, object]
Events: TypeAlias = Generator[Mapping[str, Any], None, None]

_MODELS = "/accounts/{account}/ai/models/search"
_DATA = "data: "
_DONE = "[DONE]"


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer that is not streamed: a `File`, or what came as JSON."""

    value: Any


class Models(Protocol):
    """Something that has models."""

    def task(self, model: str) -> str:
        """Return the task of `model`.

        Raises:
            UsageError: there is no such model.
        """

    def ask(self, model: str, inputs: Inputs) -> Whole | Events:
        """Ask; events come as they are computed, closing them stops the model.

        Raises:
            SelfedgeError: the call failed; it can also fail between two events.
        """


@contextmanager
def models(settings: Settings, environ: Environ, notice: Notice) -> Iterator[Models]:
    """Reach the running node's models; without a node, start a model host here.

    Raises:
        UsageError: a node is named by the environment, and does not answer.
    """
    try:
        node = NodeModels(Api(locate(Path.cwd(), environ)))
        node.check()
    except UsageError:
        if "CLOUDFLARE_API_BASE_URL" in environ:
            raise
    else:
        yield node
        return
    with own_models(settings, notice) as here:
        yield here


class NodeModels:
    """The models of a running node, through its control API."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def check(self) -> None:
        """Call the node once.

        Raises:
            UsageError: it does not answer.
        """
        self._api.call("GET", _MODELS, query={"per_page": "1"})

    def task(self, model: str) -> str:
        """Return the task of `model`."""
        for entry in self._api.every(_MODELS, {"search": model}):
            if entry["name"] == model:
                task: str = entry["task"]["id"]
                return task
        raise UsageError(f"No such model {model}. See `selfedge ai models`.")

    def ask(self, model: str, inputs: Inputs) -> Whole | Events:
        """Ask the node."""
        path = f"/accounts/{{account}}/ai/run/{segment(model)}"
        if inputs.get("stream"):
            return self._events(path, inputs)
        with _told(), self._api.open("POST", path, json=inputs) as reply:
            body = reply.read()
            if reply.content_type == "application/json":
                return Whole(msgspec.json.decode(body)["result"])
            return Whole(File(body, reply.content_type))

    def _events(self, path: str, inputs: Inputs) -> Events:
        with _told(), self._api.open("POST", path, json=inputs) as reply:
            if reply.content_type == "application/json":
                yield msgspec.json.decode(reply.read())["result"]
                return
            for line in reply.lines():
                if line.startswith(_DATA) and not line.endswith(_DONE):
                    yield _event(line.removeprefix(_DATA))


def _event(data: str) -> Mapping[str, Any]:
    event: Mapping[str, Any] = msgspec.json.decode(data)
    if "internalCode" in event:
        raise NodeError(f"{event['internalCode']}: {event['description']}")
    return event


@contextmanager
def _told() -> Iterator[None]:
    """Make a failure of the node one that the exit code tells from the caller's."""
    try:
        yield
    except ApiError as error:
        if error.status >= 500:
            raise NodeError(f"{error.number}: {error}") from error
        raise UsageError(f"{error.number}: {error}") from error


@contextmanager
def own_models(settings: Settings, notice: Notice) -> Iterator[Models]:
    """Start the AI service in this process."""
    from selfedge.bindings.ai.server import build  # noqa: PLC0415 - loads aiohttp

    with asyncio.Runner() as runner:
        service = build(settings, notice)
        try:
            yield OwnModels(runner, service)
        finally:
            runner.run(service.close())


class OwnModels:
    """An AI service that is asked by blocking calls."""

    def __init__(self, runner: asyncio.Runner, service: AIService) -> None:
        self._runner = runner
        self._service = service

    def task(self, model: str) -> str:
        """Return the task of `model`."""
        try:
            return self._service.model(model).task
        except AiError as error:
            raise UsageError(f"{error}. See `selfedge ai models`.") from error

    def ask(self, model: str, inputs: Inputs) -> Whole | Events:
        """Ask the service."""
        try:
            found = self._runner.run(self._service.run(model, inputs, {}))
        except AiError as error:
            raise _of(error) from error
        if isinstance(found, Stream):
            return self._events(found.events)
        return Whole(found.value)

    def _events(self, events: AsyncGenerator[object, None]) -> Events:
        try:
            while (event := self._runner.run(_next(events))) is not None:
                yield event
        except AiError as error:
            raise _of(error) from error
        finally:
            self._runner.run(events.aclose())


async def _next(events: AsyncGenerator[object, None]) -> Any:
    return await anext(events, None)


def _of(error: AiError) -> SelfedgeError:
    kind = NodeError if error.status >= 500 else UsageError
    return kind(f"{error.internal_code}: {error}")
