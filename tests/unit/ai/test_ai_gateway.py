"""The basics of AI Gateway, over HTTP."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from ai_support import LLAMA, FakeHost, asking, listening, run, service
from aiohttp import ClientSession

from selfedge.bindings.ai import gateway
from selfedge.bindings.ai.errors import NoSuchLog
from selfedge.bindings.ai.gateway import Gateway
from selfedge.bindings.ai.gateway.kept import KeptLogs
from selfedge.bindings.ai.server import AIServer
from selfedge.storage.embedded import EmbeddedStorage

T = TypeVar("T")
HI = {"prompt": "Hi"}
UNIVERSAL = "/ai-gateway/universal/run/mine"


def serving(folder: Path, test: Callable[[ClientSession], Awaitable[T]]) -> T:
    async def body() -> T:
        found = AIServer(service(folder / "cache", FakeHost()))
        async with listening(found, folder / "s") as client:
            return await test(client)

    return run(body())


async def call(
    client: ClientSession, method: str, path: str, body: object = None
) -> tuple[int, dict, dict]:
    data = None if body is None else json.dumps(body)
    async with client.request(method, path, data=data, headers=asking(LLAMA)) as answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status, headers, await answer.json()


def through_gateway(inputs: object, gateway: object) -> dict:
    return {"inputs": inputs, "options": {"gateway": gateway}}


def test_a_run_leaves_a_log_that_can_be_read_and_patched(tmp_path: Path) -> None:
    async def test(client: ClientSession) -> tuple[dict, dict]:
        body = through_gateway(HI, {"id": "mine"})
        _, headers, answer = await call(client, "POST", "/ai-gateway/run", body)
        assert answer["response"] == "Paris"
        path = f"/ai-gateway/gateways/mine/logs/{headers['cf-aig-log-id']}"
        patch = {"feedback": 1, "metadata": {"user": "u"}}
        before = await call(client, "GET", path)
        await call(client, "PATCH", path, patch)
        return before[2]["result"], (await call(client, "GET", path))[2]["result"]

    before, after = serving(tmp_path, test)
    assert (before["model"], before["success"]) == (LLAMA, True)
    assert (after["feedback"], after["metadata"]) == (1, {"user": "u"})
    assert after["id"] == before["id"]


def test_the_first_request_that_succeeds_answers(tmp_path: Path) -> None:
    requests = [
        {"provider": "workers-ai", "endpoint": "@cf/a/b", "query": HI},
        {"provider": "workers-ai", "endpoint": LLAMA, "headers": {}, "query": HI},
    ]

    async def test(client: ClientSession) -> tuple[int, dict, dict]:
        return await call(client, "POST", UNIVERSAL, requests)

    status, headers, body = serving(tmp_path, test)
    assert (status, headers["cf-aig-step"]) == (200, "1")
    assert body["result"]["response"] == "Paris"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("POST", UNIVERSAL, [], 400, "at least one"),
        ("POST", UNIVERSAL, {}, 400, "Expected `array`"),
        (
            "POST",
            UNIVERSAL,
            [{"provider": "openai", "endpoint": "chat"}],
            400,
            "openai is not served here",
        ),
        (
            "POST",
            UNIVERSAL,
            [{"provider": "workers-ai", "endpoint": "@cf/a/b"}],
            400,
            "No such model @cf/a/b",
        ),
        ("GET", "/ai-gateway/gateways/mine/logs/nope", None, 404, "no log nope"),
        ("PATCH", "/ai-gateway/gateways/mine/logs/nope", {}, 404, "no log nope"),
        ("GET", "/ai-gateway/gateways/mine", None, 400, "only getUrl()"),
        ("POST", "/ai-gateway/run", through_gateway(HI, {}), 200, "Paris"),
        ("POST", "/ai-gateway/run", through_gateway(HI, {"id": 3}), 400, "gateway.id"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, method: str, path: str, body: object, status: int, text: str
) -> None:
    async def test(client: ClientSession) -> tuple[int, dict, dict]:
        return await call(client, method, path, body)

    found, _, answer = serving(tmp_path, test)
    assert found == status
    assert text in json.dumps(answer)


def test_the_address_is_that_of_the_gateway(tmp_path: Path) -> None:
    async def test(client: ClientSession) -> tuple[int, dict, dict]:
        return await call(client, "GET", "/ai-gateway/gateways/mine/url/openai")

    _, _, body = serving(tmp_path, test)
    assert body["result"]["url"].endswith("/mine/openai")


def test_a_restart_still_has_the_newest_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "GATEWAY_LOGS_KEPT", 2)

    async def first() -> list[str]:
        async with EmbeddedStorage(tmp_path) as storage:
            logs = Gateway(KeptLogs(storage.records("ai")))
            ids = [
                await logs.record("mine", model=LLAMA, began=at, ended=at + 1)
                for at in (1.0, 2.0, 3.0)
            ]
            await logs.patch("mine", ids[2], {"score": 0.5})
            return ids

    async def second(ids: list[str]) -> list[dict]:
        async with EmbeddedStorage(tmp_path) as storage:
            logs = Gateway(KeptLogs(storage.records("ai")))
            await logs.resume()
            for name, log_id in (("mine", ids[0]), ("another", ids[1])):
                with pytest.raises(NoSuchLog):
                    logs.log(name, log_id)
            return [dict(logs.log("mine", log_id)) for log_id in ids[1:]]

    ids = run(first())
    older, newer = run(second(ids))
    assert (older["id"], "score" in older) == (ids[1], False)
    assert (newer["id"], newer["score"]) == (ids[2], 0.5)
