"""Another machine computes: real HTTP servers, ours among them."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from ai_support import LLAMA, FakeHost, control, run, service
from aiohttp import web

from selfedge.bindings.ai.catalogue import load as load_catalogue
from selfedge.bindings.ai.catalogue.overlay import overlaid, read
from selfedge.bindings.ai.errors import (
    AiError,
    BadInput,
    ContextExceeded,
    InferenceFailed,
    OverCapacity,
)
from selfedge.bindings.ai.host.process import ModelHost
from selfedge.bindings.ai.jobs import Job, Part
from selfedge.bindings.ai.jobs.text_embeddings import EmbedTexts, Vectors
from selfedge.bindings.ai.jobs.text_generation import (
    GenerateText,
    Message,
    Text,
    Tool,
    ToolCall,
    Usage,
)
from selfedge.bindings.ai.runners.contract import Source
from selfedge.bindings.ai.runners.upstream import load
from selfedge.bindings.ai.server import AIServer
from selfedge.bindings.ai.service import AIService, Answer
from selfedge.settings import Settings

CHAT = GenerateText(
    messages=[Message(role="user", content="Hi")], max_tokens=5, temperature=0.5
)
EMBED = EmbedTexts(texts=["a", "b"], pooling="mean")
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def listening(handle: Handle) -> AsyncIterator[str]:
    """Yield the address of a server on a port of the system's choice."""
    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def parts(url: str, job: Job, **options: str) -> list[Part]:
    runner = load(Source(location=url, options={"model": "m", **options}), 1)
    try:
        async with aclosing(runner.run(job)) as found:
            return [part async for part in found]
    finally:
        await runner.close()


def ask(handle: Handle, job: Job, **options: str) -> list[Part]:
    async def test() -> list[Part]:
        async with listening(handle) as url:
            return await parts(f"{url}/v1", job, **options)

    return run(test())


def streaming(*chunks: object, asked: list[dict] | None = None) -> Handle:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if asked is not None:
            asked.append({"path": request.path, **json.loads(await request.read())})
        lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
        return web.Response(text=": hello\n\n" + "".join(lines) + "data: [DONE]\n\n")

    return handle


def saying(status: int, body: object) -> Handle:
    async def handle(_request: web.BaseRequest) -> web.StreamResponse:
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(status=status, text=text)

    return handle


def delta(**fields: object) -> dict:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def test_a_chat_comes_in_pieces_and_only_what_was_given_is_sent() -> None:
    asked: list[dict] = []
    ending = {"choices": [], "usage": USAGE}
    chunks = (
        delta(role="assistant"),
        delta(content="Pa"),
        delta(content="ris"),
        ending,
    )
    found = ask(streaming(*chunks, asked=asked), CHAT)
    assert found == [
        Text("Pa"),
        Text("ris"),
        Usage(prompt_tokens=3, completion_tokens=2),
    ]
    assert asked == [
        {
            "path": "/v1/chat/completions",
            "model": "m",
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": 5,
            "temperature": 0.5,
            "messages": [{"role": "user", "content": "Hi"}],
        }
    ]


def test_a_bare_prompt_goes_to_completions() -> None:
    asked: list[dict] = []
    job = GenerateText(prompt="Once", max_tokens=5, temperature=0.5)
    found = ask(streaming({"choices": [{"text": "a"}]}, asked=asked), job)
    assert found[0] == Text("a")
    assert (asked[0]["path"], asked[0]["prompt"]) == ("/v1/completions", "Once")


def test_a_server_that_does_not_count_is_counted_for() -> None:
    found = ask(streaming(delta(content="a"), delta(content="b")), CHAT)
    assert found[-1] == Usage(prompt_tokens=0, completion_tokens=2)


def test_tools_and_schemas_are_passed_on_and_calls_come_back() -> None:
    asked: list[dict] = []
    piece = {"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}
    chunks = (delta(tool_calls=[piece]), {"choices": [], "usage": USAGE})
    job = GenerateText(
        messages=CHAT.messages,
        max_tokens=5,
        temperature=0.5,
        tools=[Tool(name="f")],
        schema={"type": "object"},
    )
    found = ask(streaming(*chunks, asked=asked), job)
    assert found[0] == ToolCall(id="c", name="f", arguments="{}")
    assert asked[0]["tools"][0]["function"]["name"] == "f"
    wanted = asked[0]["response_format"]
    assert wanted["json_schema"]["schema"] == {"type": "object"}


def test_vectors_come_in_the_order_of_the_texts() -> None:
    rows = [{"index": 1, "embedding": [0, 1]}, {"index": 0, "embedding": [1, 0]}]
    assert ask(saying(200, {"data": rows}), EMBED) == [
        Vectors([[1.0, 0.0], [0.0, 1.0]])
    ]


def test_a_key_comes_from_the_variable_that_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_KEY", "abc")
    keys: list[str | None] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        keys.append(request.headers.get("authorization"))
        return web.Response(text="data: [DONE]\n\n")

    ask(handle, CHAT, key_env="MY_KEY")
    ask(handle, CHAT)
    assert keys == ["Bearer abc", None]


@pytest.mark.parametrize(
    ("status", "body", "error", "text"),
    [
        (400, {"error": {"message": "no such field"}}, BadInput, "no such field"),
        (422, {"detail": "bad"}, BadInput, "said 422"),
        (
            400,
            {"message": "maximum context length is 10 tokens"},
            ContextExceeded,
            "is 10",
        ),
        (429, "slow down", OverCapacity, "Capacity temporarily .*slow down"),
        (401, {"error": "no key"}, InferenceFailed, "said 401: no key"),
        (500, "<html>", InferenceFailed, "said 500: <html>"),
        (200, "data: {\n\n", InferenceFailed, "no JSON"),
        (200, "data: []\n\n", InferenceFailed, "no JSON object"),
        (
            200,
            'data: {"error": {"message": "lost"}}\n\n',
            InferenceFailed,
            "said: lost",
        ),
    ],
)
def test_refusals_are_told_in_the_servers_words(
    status: int, body: object, error: type[AiError], text: str
) -> None:
    with pytest.raises(error, match=text):
        ask(saying(status, body), CHAT)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"data": "none"}, "no list of vectors"),
        ({"data": [{"index": 0, "embedding": [1]}]}, "1 vectors for 2 texts"),
        ("[]", "no JSON object"),
    ],
)
def test_what_are_no_vectors_is_said(body: object, text: str) -> None:
    with pytest.raises(InferenceFailed, match=text):
        ask(saying(200, body), EMBED)


def test_a_server_that_is_not_there_is_named() -> None:
    async def test() -> None:
        async with listening(saying(200, "")) as url:
            pass
        await parts(url, CHAT)

    with pytest.raises(InferenceFailed, match=r"127\.0\.0\.1:\d+ cannot be reached"):
        run(test())


def test_leaving_half_way_closes_the_connection() -> None:
    async def test() -> None:
        left = asyncio.Event()

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            try:
                while True:
                    line = f"data: {json.dumps(delta(content='a'))}\n\n"
                    await response.write(line.encode())
                    await asyncio.sleep(0)
            finally:
                left.set()

        async with listening(handle) as url:
            runner = load(Source(location=url), 1)
            async with aclosing(runner.run(CHAT)) as found:
                assert await anext(found) == Text("a")
            await asyncio.wait_for(left.wait(), 5)
            await runner.close()

    run(test())


def test_our_own_openai_routes_are_such_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUR_TOKEN", "secret")

    async def test() -> tuple[list[Part], list[Part]]:
        vectors = Vectors([[0.5] * 384, [0.25] * 384])
        hosts = (FakeHost(), FakeHost([vectors]))
        chat = await behind(tmp_path / "one", hosts[0], LLAMA, CHAT)
        return chat, await behind(
            tmp_path / "two", hosts[1], "@cf/baai/bge-small-en-v1.5", EMBED
        )

    chat, vectors = run(test())
    assert chat == [
        Text("Par"),
        Text("is"),
        Usage(prompt_tokens=9, completion_tokens=2),
    ]
    assert len(vectors[0].vectors) == 2


async def behind(folder: Path, host: FakeHost, model: str, job: Job) -> list[Part]:
    """Ask our own control API, with a host that is fake."""
    server = AIServer(service(folder, host))
    async with listening(control(server, folder).answer) as url:
        runner = load(
            Source(
                location=f"{url}/client/v4/accounts/local/ai/v1",
                options={"model": model, "key_env": "OUR_TOKEN"},
            ),
            1,
        )
        try:
            return [part async for part in runner.run(job)]
        finally:
            await runner.close()


@pytest.mark.slow
def test_a_project_may_name_a_server_for_an_id(tmp_path: Path) -> None:
    async def test() -> Answer:
        chunks = (delta(content="Paris"), {"choices": [], "usage": USAGE})
        async with listening(streaming(*chunks)) as url:
            file = tmp_path / "selfedge.toml"
            file.write_text(
                f'[ai.models."{LLAMA}"]\nopenai = "{url}/v1"\nmodel = "big"\n'
            )
            models = overlaid(load_catalogue(), read(file), tmp_path)
            settings = Settings(cache_dir=tmp_path)
            found = AIService(
                catalogue=models,
                host=ModelHost(threads=1),
                settings=settings,
                notice=[].append,
            )
            try:
                return await found.run(LLAMA, {"prompt": "Capital?"}, {})
            finally:
                await found.close()

    answer = run(test())
    assert answer.value["response"] == "Paris"
    assert answer.served == LLAMA
