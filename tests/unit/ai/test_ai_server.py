"""The HTTP side, with a model host that answers at once."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias, TypeVar

import pytest
from ai_support import (
    BGE,
    LLAMA,
    FakeHost,
    asking,
    listening,
    pretend_installed,
    run,
    service,
)
from aiohttp import ClientPayloadError, ClientSession

from selfedge.bindings.ai import transfer as module
from selfedge.bindings.ai.errors import InferenceFailed
from selfedge.bindings.ai.jobs.text_embeddings import Vectors
from selfedge.bindings.ai.server import AIServer
from selfedge.bindings.ai.weights.table import ALL

T = TypeVar("T")
Test: TypeAlias = Callable[[ClientSession], Awaitable[T]]
RUN = "/run?version=3"


def serving(
    tmp_path: Path, host: FakeHost, test: Callable[[ClientSession], Awaitable[T]]
) -> T:
    async def body() -> T:
        found = AIServer(service(tmp_path / "cache", host))
        async with listening(found, tmp_path / "s") as client:
            return await test(client)

    return run(body())


def post(model: str, inputs: object) -> Test[tuple[int, dict[str, str], bytes]]:
    async def test(client: ClientSession) -> tuple[int, dict[str, str], bytes]:
        body = json.dumps({"inputs": inputs, "options": {}})
        async with client.post(RUN, data=body, headers=asking(model)) as answer:
            found = {name.lower(): value for name, value in answer.headers.items()}
            return answer.status, found, await answer.read()

    return test


def test_a_whole_answer_is_exactly_json_and_names_its_model(tmp_path: Path) -> None:
    status, headers, body = serving(
        tmp_path, FakeHost(), post(LLAMA, {"prompt": "Capital of France?"})
    )
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert headers["cf-ai-model-served"] == "SmolLM2-135M-Instruct"
    assert headers["cf-ai-req-id"]
    assert json.loads(body)["response"] == "Paris"


def test_vectors_are_json(tmp_path: Path) -> None:
    host = FakeHost([Vectors([[0.5] * 384])])
    status, _, body = serving(tmp_path, host, post(BGE, {"text": "a"}))
    assert (status, json.loads(body)["shape"]) == (200, [1, 768])


def test_a_stream_is_server_sent_events(tmp_path: Path) -> None:
    inputs = {"prompt": "x", "stream": True}
    status, headers, body = serving(tmp_path, FakeHost(), post(LLAMA, inputs))
    assert status == 200
    assert headers["content-type"] == "text/event-stream"
    events = body.decode().split("\n\n")
    assert events[:2] == ['data: {"response":"Par"}', 'data: {"response":"is"}']
    assert json.loads(events[2].removeprefix("data: "))["usage"]["total_tokens"] == 11
    assert events[3:] == ["data: [DONE]", ""]


def test_a_stream_is_complete_on_a_connection_that_closes_after_it(
    tmp_path: Path,
) -> None:
    async def test(client: ClientSession) -> bytes:
        body = json.dumps({"inputs": {"prompt": "x", "stream": True}})
        headers = {**asking(LLAMA), "connection": "close"}
        async with client.post("/run", data=body, headers=headers) as answer:
            return await answer.read()

    assert serving(tmp_path, FakeHost(), test).endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("model", "inputs", "status", "code"),
    [
        ("@cf/a/b", {"prompt": "x"}, 400, 5007),
        (LLAMA, {}, 400, 5006),
        (LLAMA, [], 400, 5006),
        (LLAMA, {"prompt": "x", "lora": "l"}, 405, 5005),
        ("", {"prompt": "x"}, 400, 3003),
        ("@cf/pipecat-ai/smart-turn-v2", {"audio": [1]}, 400, 5007),
    ],
)
def test_errors_have_status_code_and_words(
    tmp_path: Path, model: str, inputs: object, status: int, code: int
) -> None:
    found, headers, body = serving(tmp_path, FakeHost(), post(model, inputs))
    error = json.loads(body)
    assert headers["content-type"] == "application/json"
    assert (found, error["internalCode"], error["name"]) == (status, code, "AiError")
    assert error["description"]


def test_a_failing_host_is_a_described_500(tmp_path: Path) -> None:
    host = FakeHost([], error=InferenceFailed("The model host was killed."))
    status, _, body = serving(tmp_path, host, post(LLAMA, {"prompt": "x"}))
    assert status == 500
    assert json.loads(body)["description"] == "The model host was killed."


def test_a_defect_is_described_without_a_traceback(tmp_path: Path) -> None:
    host = FakeHost([], error=KeyError("oops"))
    status, _, body = serving(tmp_path, host, post(LLAMA, {"prompt": "x"}))
    assert status == 500
    assert json.loads(body)["description"] == "Internal error: KeyError: 'oops'"


def test_a_host_that_dies_in_a_stream_says_so_and_cuts_the_body(tmp_path: Path) -> None:
    host = FakeHost(error=InferenceFailed("killed"))

    async def test(client: ClientSession) -> bytes:
        body = json.dumps({"inputs": {"prompt": "x", "stream": True}})
        async with client.post("/run", data=body, headers=asking(LLAMA)) as answer:
            found = [await answer.content.readline() for _ in range(8)]
            with pytest.raises(ClientPayloadError):
                await answer.read()
        return b"".join(found)

    found = serving(tmp_path, host, test)
    assert b'"internalCode":3043' in found
    assert b"[DONE]" not in found


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_cancels_the_generation(
    tmp_path: Path, *, stream: bool
) -> None:
    host = FakeHost(holds=True)

    async def test(client: ClientSession) -> None:
        body = json.dumps({"inputs": {"prompt": "x", "stream": stream}})
        call = asyncio.create_task(
            client.request(
                "POST", "/run", data=body, headers=asking(LLAMA)
            ).__aenter__()
        )
        while not host.calls:
            await asyncio.sleep(0)
        if stream:
            (await call).close()
        call.cancel()
        await asyncio.wait_for(host.ended.wait(), 5)

    serving(tmp_path, host, test)


def test_models_answers_from_the_catalogue(tmp_path: Path) -> None:
    async def test(client: ClientSession) -> dict:
        path = "/ai-api/models/search?search=bge-base"
        async with client.get(path) as answer:
            return await answer.json()

    found = serving(tmp_path, FakeHost(), test)
    assert [model["name"] for model in found["result"]] == [BGE]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/ai-gateway/gateways/g"),
        ("GET", "/autorag/rags"),
        ("GET", "/anything"),
    ],
)
def test_what_is_not_served_says_so(tmp_path: Path, method: str, path: str) -> None:
    async def test(client: ClientSession) -> tuple[int, dict]:
        async with client.request(method, path) as answer:
            return answer.status, await answer.json()

    status, body = serving(tmp_path, FakeHost(), test)
    assert status == 400
    assert path in body["errors"][0]["message"]


def test_websockets_are_refused(tmp_path: Path) -> None:
    async def test(client: ClientSession) -> tuple[int, dict]:
        async with client.get("/run?body={}") as answer:
            return answer.status, await answer.json()

    status, body = serving(tmp_path, FakeHost(), test)
    assert (status, body["internalCode"]) == (400, 5006)


def test_a_body_over_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REQUEST_MAX_BYTES", 1000)
    inputs = {"text": "x" * 1000}
    status, _, body = serving(tmp_path, FakeHost(), post(BGE, inputs))
    assert (status, json.loads(body)["internalCode"]) == (413, 3006)


def test_markers_are_where_the_cache_looks(tmp_path: Path) -> None:
    """Guards the fixture: no test of this file may fetch anything."""
    pretend_installed(tmp_path)
    assert len(list(tmp_path.glob("models/*/.complete"))) == len(ALL)
