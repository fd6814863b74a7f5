"""A node's AI part for tests: a fake model host, and the server on a socket."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import ClientSession, UnixConnector, web

from selfedge.binding import Context
from selfedge.bindings.ai import BINDING
from selfedge.bindings.ai.batches.kept import Kept
from selfedge.bindings.ai.catalogue import Model, load
from selfedge.bindings.ai.host.frames import Call
from selfedge.bindings.ai.jobs import Part
from selfedge.bindings.ai.jobs.text_generation import Text, Usage
from selfedge.bindings.ai.server import AIServer
from selfedge.bindings.ai.service import AIService
from selfedge.bindings.ai.tasks.contract import Asked
from selfedge.bindings.ai.weights.install import directory
from selfedge.bindings.ai.weights.table import ALL, Weights
from selfedge.control.estate import OneAccount
from selfedge.control.server import Control
from selfedge.control.table import Room, Tables
from selfedge.control.who import OneToken
from selfedge.settings import Settings

T = TypeVar("T")

LLAMA = "@cf/meta/llama-2-7b-chat-int8"
BGE = "@cf/baai/bge-base-en-v1.5"
SPOKEN: Sequence[Part] = (
    Text("Par"),
    Text("is"),
    Usage(prompt_tokens=9, completion_tokens=2),
)


def run(work: Coroutine[Any, Any, T], *, timeout_s: float = 60) -> T:
    """Run one test's coroutine."""
    return asyncio.run(asyncio.wait_for(work, timeout_s))


@dataclass
class FakeHost:
    """A model host that answers every call with `parts`, then holds, then fails."""

    parts: Sequence[Part] = SPOKEN
    error: Exception | None = None
    holds: bool = False
    calls: list[Call] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, call: Call) -> AsyncGenerator[Part, None]:
        self.calls.append(call)
        try:
            for part in self.parts:
                yield part
            if self.holds:
                await asyncio.Event().wait()
            if self.error:
                raise self.error
        finally:
            self.ended.set()

    async def close(self) -> None:
        self.ended.set()


def pretend_installed(cache: Path) -> None:
    """Leave the markers of finished installations."""
    for weights in ALL:
        folder = directory(weights, Settings(cache_dir=cache))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".complete").touch()


def service(
    cache: Path,
    host: Any,
    notices: list[str] | None = None,
    *,
    strict: bool = False,
    kept: Kept | None = None,
) -> AIService:
    """Return the service over `host`, with all weights installed."""
    pretend_installed(cache)
    return AIService(
        catalogue=load(),
        host=host,
        settings=Settings(cache_dir=cache, strict_models=strict),
        notice=[].append if notices is None else notices.append,
        kept=kept,
    )


@asynccontextmanager
async def listening(server: AIServer, path: Path) -> AsyncIterator[ClientSession]:
    """Serve on the socket `path`; yield a client of it."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return await server.handle("default", request)

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    await web.UnixSite(runner, str(path)).start()
    try:
        async with ClientSession(
            "http://workers-binding.ai", connector=UnixConnector(str(path))
        ) as client:
            yield client
    finally:
        await runner.cleanup()


def asked(inputs: object, model: Model, weights: Weights) -> Asked:
    """Return a call as a task gets it."""
    return Asked(model=model, weights=weights, inputs=inputs)


def asking(model: str) -> dict[str, str]:
    """Return the headers that the engine's client sends."""
    return {"content-type": "application/json", "cf-consn-model-id": model}


class NoStorage:
    """The control API gets a service that is made already."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the AI service asked for {name}")


def serving_context(
    settings: Settings, notices: list[str], storage: Any = None
) -> Context:
    """Return what a node gives the service."""
    return Context(
        storage=storage or NoStorage(),
        settings=settings,
        clock=time.time,
        notice=notices.append,
    )


def control(server: AIServer, folder: Path) -> Control:
    """Return the control API of one account, whose only binding is `server`."""

    async def running(_kind: str) -> AIServer:
        return server

    async def room(_account: str) -> Room:
        return Room(serving_context(Settings(cache_dir=folder), []), running)

    tables = Tables([], [BINDING], room)
    return Control(OneToken("secret", "tests"), OneAccount("local"), tables)
