"""The real models in a real model host."""

import asyncio
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import pytest
from ai_support import BGE, LLAMA, run

from selfedge.bindings.ai.catalogue import load
from selfedge.bindings.ai.errors import (
    AiError,
    BadInput,
    ContextExceeded,
    InferenceFailed,
    JsonModeFailed,
    OverCapacity,
)
from selfedge.bindings.ai.host.process import ModelHost
from selfedge.bindings.ai.service import AIService, Answer, Stream
from selfedge.bindings.ai.weights.install import install
from selfedge.settings import Settings, cache_dir

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

T = TypeVar("T")
MINILM = "@local/all-minilm-l6-v2"
STORY = {"prompt": "Tell me a long story about a fox.", "seed": 11, "temperature": 0.8}
RELATED = ("A cat sits on the mat.", "A kitten rests on a rug.")
UNRELATED = "The stock market fell sharply on Monday."


@pytest.fixture(scope="module")
def settings() -> Settings:
    """Have the weights in the user's cache."""
    found = Settings(cache_dir=cache_dir())
    install(found, [].append)
    return found


@asynccontextmanager
async def serving(
    settings: Settings, queue: int
) -> AsyncIterator[tuple[AIService, ModelHost]]:
    host = ModelHost(threads=1, queue=queue)
    service = AIService(
        catalogue=load(), host=host, settings=settings, notice=[].append
    )
    try:
        yield service, host
    finally:
        await service.close()


def with_models(
    settings: Settings,
    test: Callable[[AIService, ModelHost], Awaitable[T]],
    queue: int = 100,
) -> T:
    async def body() -> T:
        async with serving(settings, queue) as (service, host):
            return await test(service, host)

    return run(body(), timeout_s=500)


async def answer(service: AIService, model: str, inputs: object) -> dict:
    found = await service.run(model, inputs, {})
    assert isinstance(found, Answer)
    return found.value


async def stream(service: AIService, **inputs: object) -> Stream:
    found = await service.run(LLAMA, {**STORY, **inputs, "stream": True}, {})
    assert isinstance(found, Stream)
    return found


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    dot = sum(x * y for x, y in zip(one, other, strict=True))
    return dot / math.hypot(*one) / math.hypot(*other)


def gap(vectors: Sequence[Sequence[float]]) -> float:
    """Return how much nearer the related sentences are than the unrelated ones."""
    cat, kitten, stocks = vectors
    return cosine(cat, kitten) - max(cosine(cat, stocks), cosine(kitten, stocks))


def test_related_sentences_are_nearer_than_unrelated_ones(settings: Settings) -> None:
    async def test(service: AIService, _host: ModelHost) -> dict:
        return await answer(service, BGE, {"text": [*RELATED, UNRELATED]})

    found = with_models(settings, test)
    assert found["shape"] == [3, 768]
    assert gap(found["data"]) >= 0.3
    assert all(math.isclose(math.hypot(*v), 1, abs_tol=1e-5) for v in found["data"])


def test_the_wrong_pooling_would_be_seen(settings: Settings) -> None:
    async def test(service: AIService, _host: ModelHost) -> dict:
        inputs = {"text": [*RELATED, UNRELATED], "pooling": "cls"}
        return await answer(service, MINILM, inputs)

    assert gap(with_models(settings, test)["data"]) < 0.3


def test_a_vector_does_not_depend_on_its_company(settings: Settings) -> None:
    texts = [UNRELATED * n for n in (1, 9, 3)] + [str(n) for n in range(40)]

    async def test(service: AIService, _host: ModelHost) -> tuple[dict, list[dict]]:
        alone = [await answer(service, MINILM, {"text": text}) for text in texts]
        return await answer(service, MINILM, {"text": texts}), alone

    together, alone = with_models(settings, test)
    for one, many in zip(alone, together["data"], strict=True):
        assert cosine(one["data"][0], many) > 0.9999


def test_a_seed_makes_text_repeatable(settings: Settings) -> None:
    async def test(service: AIService, _host: ModelHost) -> list[dict]:
        inputs = {**STORY, "max_tokens": 24}
        return [await answer(service, LLAMA, inputs) for _ in range(2)]

    one, two = with_models(settings, test)
    assert one["response"] == two["response"]
    assert one["response"].strip()
    assert one["usage"]["completion_tokens"] == 24
    assert one["usage"]["prompt_tokens"] > 10


def test_the_question_of_the_documentation_is_answered(settings: Settings) -> None:
    async def test(service: AIService, _host: ModelHost) -> dict:
        inputs = {"prompt": "What is the capital of France?", "temperature": 0}
        return await answer(service, LLAMA, inputs)

    assert "Paris" in with_models(settings, test)["response"]


def test_a_stream_comes_in_pieces_and_ends_with_usage(settings: Settings) -> None:
    async def test(service: AIService, _host: ModelHost) -> list[dict]:
        found = await stream(service, max_tokens=16)
        return [event async for event in found.events]

    *pieces, last = with_models(settings, test)
    assert len(pieces) >= 3
    assert all(set(piece) == {"response"} for piece in pieces)
    assert last["usage"]["completion_tokens"] == 16


WEATHER = {
    "name": "get_weather",
    "description": "Get the weather of a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
QUESTION = {"role": "user", "content": "What is the weather in Paris?"}


def test_a_tool_is_called_and_its_result_becomes_an_answer(settings: Settings) -> None:
    async def test(service: AIService, _host: ModelHost) -> tuple[dict, dict]:
        inputs = {"tools": [WEATHER], "temperature": 0, "max_tokens": 80}
        first = await answer(service, LLAMA, {**inputs, "messages": [QUESTION]})
        turns = [
            QUESTION,
            {"role": "assistant", "tool_calls": first["tool_calls"]},
            {"role": "tool", "name": "get_weather", "content": "21 degrees, sunny"},
        ]
        return first, await answer(service, LLAMA, {**inputs, "messages": turns})

    called, answered = with_models(settings, test)
    assert called["tool_calls"] == [
        {"name": "get_weather", "arguments": {"city": "Paris"}}
    ]
    assert "21" in answered["response"]
    assert "tool_calls" not in answered


def test_a_schema_is_enforced(settings: Settings) -> None:
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 20},
            "age": {"type": "integer", "minimum": 0, "maximum": 120},
        },
        "required": ["name", "age"],
        "additionalProperties": False,
    }

    async def test(service: AIService, _host: ModelHost) -> dict:
        wanted = {"type": "json_schema", "json_schema": schema}
        inputs = {"prompt": "A person called Bob, 42.", "response_format": wanted}
        return await answer(service, LLAMA, {**inputs, "temperature": 0})

    found = with_models(settings, test)["response"]
    assert set(found) == {"name", "age"}
    assert isinstance(found["age"], int)


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ({"type": "json_object"}, JsonModeFailed),  # cut off after the first token
        ({"type": "json_schema", "json_schema": {"type": "strange"}}, BadInput),
        ({"type": "json_schema", "json_schema": {"$ref": "#/no"}}, BadInput),
    ],
)
def test_json_that_cannot_be_had_is_the_callers_error(
    settings: Settings, wanted: dict, error: type[AiError]
) -> None:
    async def test(service: AIService, _host: ModelHost) -> None:
        inputs = {"prompt": "A person's name and age", "response_format": wanted}
        limits = {"max_tokens": 1, "temperature": 0, "seed": 1}
        await answer(service, LLAMA, {**inputs, **limits})

    with pytest.raises(error):
        with_models(settings, test)


def test_leaving_a_stream_frees_its_slot(settings: Settings) -> None:
    """More streams than slots are left half-way; each would run for a minute."""

    async def test(service: AIService, _host: ModelHost) -> dict:
        for _ in range(6):
            found = await stream(service, max_tokens=8000)
            await anext(found.events)
            await found.events.aclose()
        async with asyncio.timeout(60):
            return await answer(service, LLAMA, {"prompt": "Hi", "max_tokens": 4})

    assert with_models(settings, test)["usage"]["completion_tokens"] <= 4


def test_concurrent_requests_of_both_kinds_are_answered(settings: Settings) -> None:
    async def test(service: AIService, _host: ModelHost) -> tuple[list, list]:
        chats = [
            answer(service, LLAMA, {**STORY, "seed": n, "max_tokens": 12})
            for n in range(1, 7)
        ]
        vectors = [answer(service, BGE, {"text": f"text {n}"}) for n in range(20)]
        done = await asyncio.gather(*chats, *vectors)
        return done[: len(chats)], done[len(chats) :]

    chats, vectors = with_models(settings, test)
    assert all(chat["usage"]["completion_tokens"] == 12 for chat in chats)
    assert all(vector["shape"] == [1, 768] for vector in vectors)


def test_embeddings_are_answered_while_text_is_generated(settings: Settings) -> None:
    async def test(service: AIService, _host: ModelHost) -> None:
        await answer(service, BGE, {"text": "warm"})
        found = await stream(service, max_tokens=8000)
        async with aclosing(found.events) as events:
            await anext(events)
            await answer(service, BGE, {"text": "x"})
            assert set(await anext(events)) == {"response"}

    with_models(settings, test)


def test_a_killed_host_is_reported_and_replaced(settings: Settings) -> None:
    async def test(service: AIService, host: ModelHost) -> None:
        found = await stream(service, max_tokens=8000)
        first = host.pid
        assert first
        os.kill(first, signal.SIGKILL)
        with pytest.raises(InferenceFailed, match=r"killed by SIGKILL.*starts a new"):
            async for _ in found.events:
                pass
        assert host.pid is None
        assert (await answer(service, BGE, {"text": "x"}))["shape"] == [1, 768]
        assert host.pid not in (None, first)

    with_models(settings, test)


def test_an_idle_host_that_is_killed_is_replaced_unseen(settings: Settings) -> None:
    async def test(service: AIService, host: ModelHost) -> None:
        await answer(service, BGE, {"text": "x"})
        first = host.pid
        assert first
        os.kill(first, signal.SIGKILL)
        while host.pid:
            await asyncio.sleep(0)
        await answer(service, BGE, {"text": "x"})
        assert host.pid != first

    with_models(settings, test)


def test_calls_that_follow_at_once_are_all_answered(settings: Settings) -> None:
    """They share a connection, and come while its last answer is being ended."""

    async def test(service: AIService, _host: ModelHost) -> None:
        for _ in range(300):
            await answer(service, MINILM, {"text": []})

    with_models(settings, test)


ODD: Sequence[tuple[str, dict[str, object]]] = (
    (LLAMA, {"prompt": "a\x00b"}),
    (LLAMA, {"prompt": "\x00", "raw": True}),
    (LLAMA, {"prompt": "\U0001f469\u200d\U0001f466 {{ x }} <|im_start|>system"}),
    (LLAMA, {"prompt": "x", "top_p": 0, "temperature": 5}),
    (LLAMA, {"prompt": "x", "temperature": 0, "seed": 2**32 - 1}),
    (LLAMA, {"prompt": "x", "repetition_penalty": 0, "frequency_penalty": -2}),
    (LLAMA, {"messages": [{"role": "user", "content": ""}]}),
    (LLAMA, {"messages": [{"role": "tool", "content": "x"}]}),
    (LLAMA, {"messages": [{"role": "assistant", "content": []}]}),
    (BGE, {"text": "\x00"}),
    (BGE, {"text": "\n"}),
    (BGE, {"text": "word " * 50_000}),
    (BGE, {"text": ["x"] * 100}),
)


def test_odd_inputs_are_answered_too(settings: Settings) -> None:
    async def test(service: AIService, host: ModelHost) -> set[int | None]:
        hosts = set()
        for model, inputs in ODD:
            await answer(service, model, {"max_tokens": 4, **inputs})
            hosts.add(host.pid)
        return hosts

    assert len(with_models(settings, test)) == 1


def test_a_prompt_over_the_context_has_the_documented_error(
    settings: Settings,
) -> None:
    async def test(service: AIService, _host: ModelHost) -> None:
        with pytest.raises(ContextExceeded, match=r"context window limit \(8192\)"):
            await answer(service, LLAMA, {"prompt": "hello " * 9000})

    with_models(settings, test)


def test_damaged_weights_are_named(settings: Settings, tmp_path: Path) -> None:
    for folder in (settings.cache_dir / "models").iterdir():
        if folder.is_dir():
            copy = tmp_path / "models" / folder.name
            copy.mkdir(parents=True)
            (copy / "model.gguf").write_bytes(b"nonsense")
            (copy / ".complete").touch()

    async def test(service: AIService, _host: ModelHost) -> None:
        for model, inputs in ((LLAMA, {"prompt": "x"}), (BGE, {"text": "x"})):
            with pytest.raises(AiError, match=r"could not be loaded.*remove"):
                await answer(service, model, inputs)

    with_models(Settings(cache_dir=tmp_path), test)


def test_the_host_ends_with_the_service(settings: Settings) -> None:
    async def test(service: AIService, host: ModelHost) -> int:
        await stream(service, max_tokens=8000)
        assert host.pid
        return host.pid

    pid = with_models(settings, test)
    assert not Path(f"/proc/{pid}").exists()


def test_workers_go_before_the_host(settings: Settings) -> None:
    async def test(service: AIService, host: ModelHost) -> int:
        await answer(service, BGE, {"text": "x"})
        assert host.pid
        return os.getpriority(os.PRIO_PROCESS, host.pid)

    ours = os.getpriority(os.PRIO_PROCESS, 0)
    assert with_models(settings, test) == min(ours + 5, 19)


def test_the_host_is_back_within_two_seconds(settings: Settings) -> None:
    async def test(service: AIService, host: ModelHost) -> float:
        await answer(service, BGE, {"text": "x"})
        assert host.pid
        os.kill(host.pid, signal.SIGKILL)
        with suppress(InferenceFailed):  # it may be seen dead, or die in the call
            await answer(service, BGE, {"text": "x"})
        began = time.monotonic()
        await answer(service, BGE, {"text": "x"})
        return time.monotonic() - began

    assert with_models(settings, test) < 2


def test_one_call_too_many_is_refused_and_the_others_go_on(settings: Settings) -> None:
    async def test(service: AIService, _host: ModelHost) -> list:
        inputs = {"prompt": "Hi", "max_tokens": 2}
        calls = [answer(service, LLAMA, inputs) for _ in range(9)]
        return await asyncio.gather(*calls, return_exceptions=True)

    found = with_models(settings, test, queue=8)
    refused = [one for one in found if isinstance(one, OverCapacity)]
    assert len(refused) == 1
    assert str(refused[0]).startswith("Capacity temporarily exceeded")


def test_a_prompt_that_nobody_waits_for_is_read_no_further(settings: Settings) -> None:
    """All slots read long prompts; left alone, they would for a minute."""
    prompt = {"prompt": "a fox and " * 2000, "raw": True, "max_tokens": 1}

    async def test(service: AIService, _host: ModelHost) -> float:
        await answer(service, LLAMA, {"prompt": "Hi", "max_tokens": 1})
        readers = [
            asyncio.create_task(answer(service, LLAMA, prompt)) for _ in range(4)
        ]
        await asyncio.wait(readers, timeout=1)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        began = time.monotonic()
        await answer(service, LLAMA, {"prompt": "Hi", "max_tokens": 1})
        return time.monotonic() - began

    assert with_models(settings, test) < 5


OWNER = """
import asyncio, sys
from contextlib import aclosing
from selfedge.bindings.ai.host.frames import Call
from selfedge.bindings.ai.host.process import ModelHost
from selfedge.bindings.ai.jobs.text_generation import GenerateText
from selfedge.bindings.ai.runners.contract import Source

async def main():
    host = ModelHost(threads=1)
    job = GenerateText(prompt="Once", max_tokens=8000, temperature=0.8)
    call = Call(runner="llama", source=Source(location=sys.argv[1]), job=job)
    async with aclosing(host.run(call)) as parts:
        await anext(parts)
        print(host.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def test_a_killed_service_leaves_no_orphan(settings: Settings) -> None:
    (folder,) = (settings.cache_dir / "models").glob("smollm2*")
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout
        pid = int(owner.stdout.readline())
        descriptor = os.pidfd_open(pid)
        owner.kill()
    try:
        ended = wait_readable(descriptor, 10)
    finally:
        os.close(descriptor)
    assert ended


def wait_readable(descriptor: int, timeout_s: float) -> bool:
    """Return whether the process behind a pidfd ended in time."""

    async def body() -> bool:
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(descriptor, ended.set)
        await asyncio.wait_for(ended.wait(), timeout_s)
        return True

    return asyncio.run(body())
