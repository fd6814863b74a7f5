"""From a Worker in the real engine to the real models and back."""

import asyncio
import json
import os
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from ai_support import BGE, LLAMA, run, serving_context
from aiohttp import ClientSession, UnixConnector, web

from selfedge.binding import IDENTITY_HEADER, Site
from selfedge.bindings.ai import BINDING
from selfedge.bindings.ai.server import serve
from selfedge.bindings.ai.weights.install import install
from selfedge.settings import Settings, cache_dir
from selfedge.storage.embedded import EmbeddedStorage
from selfedge.workerd.config import encode
from selfedge.workerd.install import Engine, engine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

T = TypeVar("T")
WORKER = Path(__file__).with_name("ai_worker.js")


@pytest.fixture(scope="module")
def settings() -> Settings:
    """Have the weights in the user's cache."""
    found = Settings(cache_dir=cache_dir())
    install(found, [].append)
    return found


@pytest.fixture(scope="module")
def installed() -> Engine:
    """Have the engine in the user's cache."""
    return engine(cache_dir(), os.environ)


def config(backend: Path) -> dict[str, Any]:
    """Return the engine's config of one Worker with `env.AI`."""
    (entry,) = BINDING.parse({"binding": "AI"})
    site = Site(account="a", worker="w", workers=frozenset({"w"}), objects="o")
    fragment = BINDING.compile(entry, site)
    (service,) = [found.service for found in fragment.backends]
    identity = {"name": IDENTITY_HEADER, "value": service}
    return {
        "services": [
            {
                "name": "w",
                "worker": {
                    "modules": [{"name": "w.js", "esModule": WORKER.read_text()}],
                    "compatibilityDate": "2026-10-01",
                    "bindings": list(fragment.bindings),
                },
            },
            {
                "name": service,
                "external": {
                    "address": f"unix:{backend}",
                    "http": {"injectRequestHeaders": [identity]},
                },
            },
        ],
        "sockets": [{"name": "http", "http": {}, "service": {"name": "w"}}],
    }


@asynccontextmanager
async def worker(
    found: Engine, settings: Settings, folder: Path, notices: list[str]
) -> AsyncIterator[ClientSession]:
    """Yield a client of the Worker."""
    backend, front = folder / "ai", folder / "front"
    (folder / "config").write_bytes(encode(config(backend), found.schema))
    async with (
        EmbeddedStorage(folder / "data") as storage,
        serve(serving_context(settings, notices, storage)) as service,
    ):

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            assert request.headers[IDENTITY_HEADER] == "ai:default"
            return await service.handle("default", request)

        runner = web.ServerRunner(web.Server(handle, keepalive_timeout=75))
        await runner.setup()
        await web.UnixSite(runner, str(backend)).start()
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(front))
            listening.listen()
            number = listening.fileno()
            command = [found.workerd, "serve", "-b", folder / "config"]
            process = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
                [*command, f"--socket-fd=http={number}"], pass_fds=(number,)
            )
            try:
                async with ClientSession(
                    "http://worker", connector=UnixConnector(str(front))
                ) as client:
                    yield client
            finally:
                process.kill()
                process.wait()
                await runner.cleanup()


@pytest.fixture
def ask(
    settings: Settings, installed: Engine, tmp_path: Path
) -> Callable[..., tuple[Any, list[str]]]:
    """Start the Worker, run a test on it, and return the result and the notices."""

    def body(
        test: Callable[[ClientSession], Awaitable[T]], *, strict: bool = False
    ) -> tuple[T, list[str]]:
        notices: list[str] = []
        chosen = Settings(cache_dir=settings.cache_dir, strict_models=strict)

        async def main() -> T:
            async with worker(installed, chosen, tmp_path, notices) as client:
                return await test(client)

        return run(main(), timeout_s=500), notices

    return body


async def call(client: ClientSession, model: str, inputs: object, **more: Any) -> Any:
    """Have the Worker call `env.AI.run`; return what it tells."""
    body = json.dumps({"model": model, "inputs": inputs, **more})
    async with client.post("/", data=body) as answer:
        return await answer.json()


Ask = Callable[..., tuple[Any, list[str]]]


def test_a_worker_gets_text_and_vectors_and_the_console_names_the_stand_ins(
    ask: Ask,
) -> None:
    async def test(client: ClientSession) -> tuple[Any, Any, Any]:
        inputs = {"prompt": "What is the capital of France?", "temperature": 0}
        text = await call(client, LLAMA, inputs)
        vectors = await call(client, BGE, {"text": ["a", "b"]})
        return text, vectors, await call(client, BGE, {"text": "a"}, mode="raw")

    (text, vectors, raw), notices = ask(test)
    assert "Paris" in text["result"]["response"]
    assert text["requestId"]
    assert vectors["result"]["shape"] == [2, 768]
    assert raw == {"status": 200, "served": "all-MiniLM-L6-v2"}
    said = [line for line in notices if "stands in" in line]
    assert [line.split(":")[0] for line in said] == [LLAMA, BGE]


def test_a_stream_reaches_the_client_piece_by_piece(ask: Ask) -> None:
    async def test(client: ClientSession) -> tuple[list[float], list[str]]:
        inputs = {"prompt": "Tell a story", "stream": True, "max_tokens": 60}
        body = json.dumps({"model": LLAMA, "inputs": inputs})
        times, lines = [], []
        async with client.post("/", data=body) as answer:
            assert answer.content_type == "text/event-stream"
            async for line in answer.content:
                if line.startswith(b"data: "):
                    times.append(time.monotonic())
                    lines.append(line.decode().removeprefix("data: ").strip())
        return times, lines

    (times, lines), _ = ask(test)
    assert lines[-1] == "[DONE]"
    assert json.loads(lines[-2])["usage"]["completion_tokens"] <= 60
    assert all(set(json.loads(line)) == {"response"} for line in lines[:-2])
    assert len({round(moment, 2) for moment in times}) >= 3


def test_errors_reach_the_worker_with_code_and_words(ask: Ask) -> None:
    async def test(client: ClientSession) -> list[dict[str, Any]]:
        return [
            await call(client, "@cf/a/b", {"prompt": "x"}),
            await call(client, LLAMA, {"prompt": "x", "top_k": 99}),
            await call(client, "@cf/openai/whisper", {"audio": [1, 2]}),
        ]

    (unknown, wrong, unreadable), _ = ask(test)
    assert unknown == {
        "name": "AiError",
        "message": "5007: No such model @cf/a/b or task",
        "code": 5007,
    }
    assert wrong["message"] == "5006: AiError: Bad input: top_k: expected int <= 50"
    assert unreadable["message"].startswith("5006: AiError: Bad input: audio: ")


def test_strict_models_are_an_error_in_the_worker(ask: Ask) -> None:
    found, _ = ask(lambda client: call(client, BGE, {"text": "x"}), strict=True)
    assert found["message"].startswith(f"5007: No such model {BGE} or its weights")


def test_models_lists_the_catalogue(ask: Ask) -> None:
    found, _ = ask(lambda c: call(c, "", {"search": "bge-base"}, mode="models"))
    assert [model["name"] for model in found] == [BGE]


def test_an_abort_in_the_worker_frees_the_model(ask: Ask) -> None:
    """More calls than slots are given up; each would take a minute."""

    async def test(client: ClientSession) -> Any:
        endless = {"prompt": "Tell a long story", "max_tokens": 8000}
        given_up = [call(client, LLAMA, endless, abortMs=1500) for _ in range(6)]
        errors = await asyncio.gather(*given_up)
        assert all("abort" in error["message"].lower() for error in errors)
        async with asyncio.timeout(60):
            return await call(client, LLAMA, {"prompt": "Hi", "max_tokens": 4})

    found, _ = ask(test)
    assert found["result"]["usage"]["completion_tokens"] <= 4
