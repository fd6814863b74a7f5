"""Workers AI's routes behind the real control API, with a model host that is fake."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from ai_support import LLAMA, control, run, service
from ai_support import FakeHost as Host
from aiohttp import ClientPayloadError, ClientSession, UnixConnector, web
from yarl import URL

from selfedge.bindings.ai.errors import InferenceFailed
from selfedge.bindings.ai.jobs.text_embeddings import Vectors
from selfedge.bindings.ai.server import AIServer

AI = "/client/v4/accounts/local/ai"
CHAT = f"{AI}/v1/chat/completions"
BGE = "@cf/baai/bge-small-en-v1.5"
USER = [{"role": "user", "content": "Capital of France?"}]


@dataclass(frozen=True)
class Got:
    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


@asynccontextmanager
async def api(folder, host):
    server = AIServer(service(folder / "cache", host))
    answer = control(server, folder).answer
    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.UnixSite(runner, str(folder / "s")).start()
    headers = {"Authorization": "Bearer secret"}
    try:
        async with ClientSession(
            "http://localhost",
            connector=UnixConnector(str(folder / "s")),
            headers=headers,
        ) as client:
            yield client
    finally:
        await runner.cleanup()


def ask(folder, method, path, host=None, **options):
    async def once():
        async with (
            api(folder, host or Host()) as client,
            client.request(method, path, **options) as answer,
        ):
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Got(answer.status, headers, await answer.read())

    return run(once())


@pytest.mark.parametrize(
    "model", [LLAMA, LLAMA.replace("/", "%2F").replace("@", "%40")]
)
def test_a_model_id_may_be_encoded_or_not(tmp_path, model):

    url = URL(f"{AI}/run/{model}", encoded=True)
    got = ask(tmp_path, "POST", url, json={"prompt": "Hi"})
    assert got.status == 200
    assert got.json()["result"]["response"] == "Paris"
    assert got.json()["success"] is True


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "text/plain", "application/json; a=b"]
)
def test_json_is_known_by_its_content(tmp_path, kind):
    got = ask(
        tmp_path,
        "POST",
        f"{AI}/run/{LLAMA}",
        data=b' {"prompt": "Hi"}',
        headers={"content-type": kind},
    )
    assert got.status == 200


def test_a_stream_is_server_sent_events(tmp_path):
    inputs = {"prompt": "Hi", "stream": True}
    got = ask(tmp_path, "POST", f"{AI}/run/{LLAMA}", json=inputs)
    assert got.headers["content-type"] == "text/event-stream"
    assert got.headers["cf-ai-model-served"] == "SmolLM2-135M-Instruct"
    events = got.body.decode().strip().split("\n\n")
    assert events[0] == 'data: {"response":"Par"}'
    assert events[-1] == "data: [DONE]"


@pytest.mark.parametrize(
    ("model", "data", "status", "code"),
    [
        ("@cf/nobody/nothing", b'{"prompt": "x"}', 400, 5007),
        (LLAMA, b"{}", 400, 5006),
        (LLAMA, b'{"prompt": 5}', 400, 5006),
        (LLAMA, b'{"prompt": "x"', 400, 3003),
        (LLAMA, b"", 400, 3003),
        (LLAMA, b"[]", 400, 5006),
        (LLAMA, b'{"a":' * 5000, 400, 3003),
        ("%00", b"{}", 400, 5007),
    ],
)
def test_errors_come_in_the_envelope_with_cloudflares_codes(
    tmp_path, model, data, status, code
):
    headers = {"content-type": "application/json"}
    got = ask(tmp_path, "POST", f"{AI}/run/{model}", data=data, headers=headers)
    assert got.status == status
    assert got.json()["success"] is False
    assert got.json()["errors"][0]["code"] == code


def test_bytes_go_to_the_task_as_a_file(tmp_path):
    """A text model takes none, and says so."""
    got = ask(tmp_path, "POST", f"{AI}/run/{LLAMA}", data=b"\x89PNG")
    assert (got.status, got.json()["errors"][0]["code"]) == (400, 5006)
    assert "stream" in got.json()["errors"][0]["message"]


def test_a_list_of_models_ends(tmp_path):
    seen, page = [], 1

    async def walk():
        nonlocal page
        async with api(tmp_path, Host()) as client:
            while True:
                query = {"page": str(page), "per_page": "30"}
                async with client.get(f"{AI}/models/search", params=query) as answer:
                    found = await answer.json()
                if not found["result"]:
                    return found["result_info"]
                seen.extend(model["name"] for model in found["result"])
                page += 1

    info = run(walk())
    assert len(seen) == len(set(seen)) == info["total_count"] > 90


def test_models_are_searched_by_task_author_and_text(tmp_path):
    query = {"task": "Text Embeddings", "author": "baai", "search": "small"}
    got = ask(tmp_path, "GET", f"{AI}/models/search", params=query)
    assert [model["name"] for model in got.json()["result"]] == [BGE]


@pytest.mark.parametrize("query", [{"page": "0"}, {"per_page": "x"}, {"page": "-1"}])
def test_a_wrong_page_is_refused(tmp_path, query):
    assert ask(tmp_path, "GET", f"{AI}/models/search", params=query).status == 400


def test_a_schema_names_inputs_and_outputs(tmp_path):
    query = {"model": LLAMA}
    found = ask(tmp_path, "GET", f"{AI}/models/schema", params=query).json()["result"]
    assert found["input"]["properties"]["temperature"]["maximum"] == 5
    assert "response" in found["output"]["properties"]


def test_every_model_has_a_schema_and_every_task_is_listed_once(tmp_path):
    async def walk():
        async with api(tmp_path, Host()) as client:
            async with client.get(f"{AI}/models/search?per_page=1000") as answer:
                models = (await answer.json())["result"]
            async with client.get(f"{AI}/tasks/search") as answer:
                tasks = (await answer.json())["result"]
            one_each = {model["task"]["id"]: model["name"] for model in models}
            for name in one_each.values():
                url = f"{AI}/models/schema"
                async with client.get(url, params={"model": name}) as answer:
                    assert set((await answer.json())["result"]) == {"input", "output"}
            return one_each, tasks

    one_each, tasks = run(walk())
    assert sorted(one_each) == sorted(task["id"] for task in tasks)


def test_an_unknown_model_has_no_schema(tmp_path):
    got = ask(tmp_path, "GET", f"{AI}/models/schema", params={"model": "@cf/a/b"})
    assert (got.status, got.json()["errors"][0]["code"]) == (400, 5007)
    assert ask(tmp_path / "2", "GET", f"{AI}/models/schema").status == 400


def test_a_chat_is_in_openais_shape_without_an_envelope(tmp_path):
    got = ask(tmp_path, "POST", CHAT, json={"model": LLAMA, "messages": USER})
    found = got.json()
    assert found["object"] == "chat.completion"
    assert found["choices"][0]["message"]["content"] == "Paris"
    assert found["usage"]["total_tokens"] == 11


def test_an_error_is_in_openais_shape(tmp_path):
    got = ask(tmp_path, "POST", CHAT, json={"model": "@cf/a/b", "messages": USER})
    assert got.status == 404
    assert set(got.json()["error"]) == {"message", "type", "code", "param"}


def test_vectors_of_a_chat_model_are_refused(tmp_path):
    body = {"model": LLAMA, "input": "x"}
    got = ask(tmp_path, "POST", f"{AI}/v1/embeddings", json=body)
    assert (got.status, got.json()["error"]["param"]) == (400, "model")


def test_vectors(tmp_path):
    host = Host([Vectors([[0.5] * 384, [0.25] * 384])])
    body = {"model": BGE, "input": ["a", "b"]}
    found = ask(tmp_path, "POST", f"{AI}/v1/embeddings", host, json=body).json()
    assert [one["index"] for one in found["data"]] == [0, 1]
    assert found["data"][1]["embedding"] == [0.25] * 384


def test_a_failure_before_the_first_token_is_an_answer(tmp_path):
    host = Host([], error=InferenceFailed("The model host was killed."))
    body = {"model": LLAMA, "messages": USER, "stream": True}
    got = ask(tmp_path, "POST", CHAT, host, json=body)
    assert got.status == 500
    assert got.json()["error"]["message"] == "The model host was killed."


def test_a_failure_in_the_middle_is_said_and_cuts_the_stream(tmp_path):
    host = Host(error=InferenceFailed("The model host was killed."))
    body = {"model": LLAMA, "messages": USER, "stream": True}

    async def read():
        heard = bytearray()
        async with (
            api(tmp_path, host) as client,
            client.post(CHAT, json=body) as answer,
        ):
            with pytest.raises(ClientPayloadError):
                await read_into(answer, heard)
        return bytes(heard)

    *_, last = run(read()).decode().strip().split("\n\n")
    error = json.loads(last.removeprefix("data: "))["error"]
    assert error["message"] == "The model host was killed."


async def read_into(answer, heard):
    async for chunk in answer.content.iter_any():
        heard.extend(chunk)


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_stops_the_model(tmp_path, stream):
    host = Host(holds=True)
    body = {"model": LLAMA, "messages": USER, "stream": stream}

    async def leave():
        async with api(tmp_path, host) as client:
            asking = asyncio.create_task(client.post(CHAT, json=body))
            while not host.calls:
                await asyncio.sleep(0)
            if stream:
                (await asking).close()
            else:
                asking.cancel()
            await asyncio.wait_for(host.ended.wait(), 5)

    run(leave())


@pytest.mark.parametrize("path", ["models", f"models/{LLAMA}"])
def test_models_in_openais_shape(tmp_path, path):
    found = ask(tmp_path, "GET", f"{AI}/v1/{path}").json()
    assert found["object"] == ("list" if path == "models" else "model")


def test_an_unknown_model_is_not_there(tmp_path):
    got = ask(tmp_path, "GET", f"{AI}/v1/models/@cf/a/b")
    assert (got.status, got.json()["error"]["code"]) == (404, "model_not_found")
