"""A thousand malformed inputs: each is the caller's error, at once, by its code.

The inputs are made from the tasks' own structs: valid ones, of which one field or
place is replaced by something else.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from ai_support import FakeHost, asking, listening, service
from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfedge.bindings.ai.catalogue import load
from selfedge.bindings.ai.host.frames import Call
from selfedge.bindings.ai.jobs import Part
from selfedge.bindings.ai.jobs.text_embeddings import EmbedTexts, Vectors
from selfedge.bindings.ai.jobs.text_generation import GenerateText, Text, Usage
from selfedge.bindings.ai.server import AIServer
from selfedge.bindings.ai.tasks import TASKS

pytestmark = pytest.mark.slow

TEXT = ["text-generation", "text-embeddings"]
TOOL = {
    "name": "f",
    "description": "d",
    "parameters": {"type": "object", "properties": {"a": {"type": "string"}}},
}
OBJECT = {"type": "object"}
VALID: Mapping[str, list[dict[str, Any]]] = {
    "text-generation": [
        {"prompt": "x", "max_tokens": 5, "temperature": 0.5, "top_p": 1, "top_k": 3},
        {"prompt": "x", "seed": 3, "repetition_penalty": 1, "stop": ["a"]},
        {"prompt": "x", "frequency_penalty": 1, "presence_penalty": 1, "raw": True},
        {"messages": [{"role": "user", "content": "x"}], "stream": False},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
        {"prompt": "x", "tools": [TOOL], "tool_choice": "auto"},
        {
            "prompt": "x",
            "tools": [{"type": "function", "function": TOOL}],
            "tool_choice": {"type": "function", "function": {"name": "f"}},
        },
        {
            "messages": [
                {"role": "assistant", "tool_calls": [{"name": "f", "arguments": "{}"}]},
                {"role": "tool", "content": "x", "tool_call_id": "a", "name": "f"},
            ]
        },
        {
            "prompt": "x",
            "response_format": {
                "type": "json_schema",
                "json_schema": {"type": "object"},
            },
        },
    ],
    "text-embeddings": [
        {"text": "x", "pooling": "cls"},
        {"text": ["x", "y"]},
        {"query": "x", "contexts": [{"text": "y"}], "truncate_inputs": True},
    ],
}
MODELS = {
    "text-generation": "@cf/meta/llama-3.1-8b-instruct",
    "text-embeddings": "@cf/baai/bge-m3",
}
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=4), st.integers(), max_size=2),
    st.recursive(st.none(), lambda inner: st.lists(inner, max_size=2), max_leaves=8),
)


def places(value: object, path: tuple = ()) -> Iterator[tuple]:
    """Yield the way to each place in `value`."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from places(inner, (*path, place))


def replaced(value: Any, path: tuple, new: object) -> Any:
    """Return a copy of `value` with `new` at `path`."""
    if not path:
        return new
    step, *rest = path
    inner = replaced(value[step], tuple(rest), new)
    if isinstance(value, dict):
        return {**value, step: inner}
    return [*value[:step], inner, *value[step + 1 :]]


@st.composite
def calls(draw: st.DrawFn, task: str) -> tuple[str, object, object]:
    """Draw a model, inputs and options, of which something is wrong."""
    valid = draw(st.sampled_from(VALID[task]))
    path = draw(st.sampled_from(list(places(valid))))
    inputs = replaced(valid, path, draw(ODD))
    options = draw(st.sampled_from([{}, {}, {"queueRequest": True}, {"gateway": 1}]))
    return MODELS[task], inputs, options


class Host(FakeHost):
    """A model host that answers what turned out to be right."""

    async def run(self, call: Call) -> AsyncGenerator[Part, None]:
        if isinstance(call.job, EmbedTexts):
            yield Vectors([[1.0]] * len(call.job.texts))
        elif isinstance(call.job, GenerateText):
            yield Text("{}")
            yield Usage(prompt_tokens=1, completion_tokens=1)


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[ClientSession]:
    found = AIServer(service(folder / "cache", Host()))
    async with listening(found, folder / "s") as client:
        yield client


async def check(client: ClientSession, model: str, body: bytes) -> None:
    """Assert that the answer is whole, or the caller's error with a code and words."""
    async with asyncio.timeout(5):
        async with client.post("/run", data=body, headers=asking(model)) as answer:
            text = await answer.read()
    if answer.status == 200 and answer.content_type == "text/event-stream":
        return
    found = json.loads(text)
    if answer.status != 200:
        assert 400 <= answer.status < 500, (body, found)
        assert found["internalCode"] >= 3003, (body, found)
        assert found["description"], body
        assert "Traceback" not in found["description"], body


@pytest.mark.parametrize("task", TEXT)
def test_a_malformed_input_is_the_callers_error(
    task: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """500 of each task; the fake host answers those that turn out to be right."""
    with asyncio.Runner() as runner:
        folder = tmp_path_factory.mktemp("ai")
        context = serving(folder)
        client = runner.run(context.__aenter__())

        @settings(
            max_examples=500, deadline=None, suppress_health_check=list(HealthCheck)
        )
        @given(calls(task))
        def hold(call: tuple[str, object, object]) -> None:
            model, inputs, options = call
            body = json.dumps({"inputs": inputs, "options": options}).encode()
            runner.run(check(client, model, body))

        try:
            hold()
        finally:
            runner.run(context.__aexit__(None, None, None))


@pytest.mark.parametrize("task", sorted(TASKS))
def test_odd_bodies_are_the_callers_error(task: str, tmp_path: Path) -> None:
    model = next(model.id for model in load() if model.task == task)
    deep = b'{"inputs":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    bodies = [b"", b"null", b"\x00", b'{"inputs":{}}', b'{"inputs":[]}', b"[]", deep]
    bodies += [b'{"inputs":{"x":1e400}}', b'{"options":[]}', b'{"inputs":"\\ud800"}']

    async def test() -> None:
        async with serving(tmp_path) as client:
            for body in bodies:
                await check(client, model, body)

    asyncio.run(test())
