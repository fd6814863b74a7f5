"""The batch API: queued at once, asked for later."""

import asyncio
from pathlib import Path

import pytest
from ai_support import LLAMA, FakeHost, run, service

from selfedge.bindings.ai import batches as module
from selfedge.bindings.ai.batches.kept import Begun, Kept
from selfedge.bindings.ai.errors import BadInput, OverCapacity, RequestTooLarge
from selfedge.bindings.ai.service import AIService, Answer
from selfedge.storage.embedded import EmbeddedStorage

HI = {"prompt": "Hi", "external_reference": "first"}
QUEUE = {"queueRequest": True}


async def asked(found: AIService, inputs: object, **options: object) -> dict:
    answer = await found.run(LLAMA, inputs, options)
    assert isinstance(answer, Answer)
    return answer.value


async def finished(found: AIService, receipt: dict) -> dict:
    while "status" in (answer := await poll(found, receipt)):
        await asyncio.sleep(0)
    return answer


async def poll(found: AIService, receipt: dict) -> dict:
    return await asked(found, {"request_id": receipt["request_id"]})


def test_a_batch_is_queued_then_answered_in_order(tmp_path: Path) -> None:
    async def test() -> tuple[dict, dict, dict]:
        found = service(tmp_path, FakeHost())
        receipt = await asked(found, {"requests": [HI, {"prompt": "Ho"}]}, **QUEUE)
        first = await poll(found, receipt)
        return receipt, first, await finished(found, receipt)

    receipt, first, last = run(test())
    assert (receipt["status"], receipt["model"]) == ("queued", LLAMA)
    assert first["status"] in ("queued", "running")
    assert [one["id"] for one in last["responses"]] == [0, 1]
    assert all(one["success"] for one in last["responses"])
    assert last["responses"][0]["result"]["response"] == "Paris"
    assert last["responses"][0]["external_reference"] == "first"
    assert last["usage"]["total_tokens"] == 22


def test_a_batch_that_computes_is_running(tmp_path: Path) -> None:
    async def test() -> str:
        host = FakeHost(holds=True)
        found = service(tmp_path, host)
        receipt = await asked(found, {"requests": [HI]}, **QUEUE)
        while not host.calls:
            await asyncio.sleep(0)
        status = (await poll(found, receipt))["status"]
        await found.close()
        return status

    assert run(test()) == "running"


def test_one_failure_is_told_beside_the_other_answers(tmp_path: Path) -> None:
    async def test() -> dict:
        found = service(tmp_path, FakeHost(error=KeyError("oops")))
        receipt = await asked(found, {"requests": [HI]}, **QUEUE)
        return await finished(found, receipt)

    (one,) = run(test())["responses"]
    assert not one["success"]
    assert one["error"] == {"code": 3043, "message": "KeyError: 'oops'"}


def test_a_batch_waits_when_there_is_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0)

    async def test() -> dict:
        host = FakeHost([], error=OverCapacity("full"))
        found = service(tmp_path, host)
        receipt = await asked(found, {"requests": [HI]}, **QUEUE)
        while not host.calls:
            await asyncio.sleep(0)
        host.parts, host.error = FakeHost().parts, None
        return await finished(found, receipt)

    assert run(test())["responses"][0]["success"]


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ({}, "requests: queueRequest needs"),
        ([], "requests: queueRequest needs"),
        ({"requests": []}, "requests: queueRequest needs"),
        ({"requests": [3]}, r"requests\[0\]: must be an object"),
        ({"requests": [HI, {"prompt": 3}]}, r"requests\[1\]: prompt: expected str"),
        ({"requests": [{**HI, "stream": True}]}, r"requests\[0\].stream"),
        ({"requests": [HI] * 1001}, "requests: at most 1000, not 1001"),
    ],
)
def test_bad_batches_are_refused_as_a_whole(
    tmp_path: Path, inputs: object, text: str
) -> None:
    host = FakeHost()
    with pytest.raises(BadInput, match=text):
        run(asked(service(tmp_path, host), inputs, **QUEUE))
    assert host.calls == []


def test_a_batch_over_ten_megabytes_is_refused(tmp_path: Path) -> None:
    requests = [{"prompt": "x" * 100_000}] * 101
    with pytest.raises(RequestTooLarge, match="10 MB"):
        run(asked(service(tmp_path, FakeHost()), {"requests": requests}, **QUEUE))


def test_an_unknown_batch_is_said_to_be_unknown(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="request_id: there is no batch nope"):
        run(asked(service(tmp_path, FakeHost()), {"request_id": "nope"}))


def test_old_batches_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCHES_KEPT", 1)

    async def test() -> None:
        found = service(tmp_path, FakeHost())
        receipts = []
        for _ in range(2):
            receipt = await asked(found, {"requests": [HI]}, **QUEUE)
            await finished(found, receipt)
            receipts.append(receipt)
        await asked(found, {"requests": [HI]}, **QUEUE)
        with pytest.raises(BadInput, match="no batch"):
            await poll(found, receipts[0])
        await found.close()

    run(test())


def test_a_restart_goes_on_with_a_batch(tmp_path: Path) -> None:
    async def test() -> tuple[int, dict]:
        async with EmbeddedStorage(tmp_path / "data") as storage:
            kept = Kept(storage.records("ai"))
            host = FakeHost()
            found = service(tmp_path, host, kept=kept)
            done = await asked(found, {"requests": [HI] * 3}, **QUEUE)
            await finished(found, done)
            host.holds = True
            receipt = await asked(found, {"requests": [HI] * 6}, **QUEUE)
            while len(host.calls) < 3 + module.AT_ONCE:
                await asyncio.sleep(0)
            await found.close()

            again = FakeHost()
            found = service(tmp_path, again, kept=kept)
            await found.resume()
            assert len((await poll(found, done))["responses"]) == 3
            return len(again.calls), await finished(found, receipt)

    computed_before, last = run(test())
    assert computed_before == 0  # answers that were kept are not computed again
    assert [one["id"] for one in last["responses"]] == list(range(6))
    assert all(one["external_reference"] == "first" for one in last["responses"])


def test_what_is_forgotten_leaves_nothing_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCHES_KEPT", 0)

    async def test() -> None:
        async with EmbeddedStorage(tmp_path / "data") as storage:
            kept = Kept(storage.records("ai"))
            found = service(tmp_path, FakeHost(), kept=kept)
            for _ in range(2):
                await finished(found, await asked(found, {"requests": [HI]}, **QUEUE))
            assert len(await kept.load()) == 1
            await found.close()

    run(test())


def test_a_batch_of_a_model_that_is_gone_fails_request_by_request(
    tmp_path: Path,
) -> None:
    async def test() -> dict:
        async with EmbeddedStorage(tmp_path / "data") as storage:
            kept = Kept(storage.records("ai"))
            gone = Begun(id="b", model="@local/gone", at=0, requests=[HI])
            await kept.begin(gone)
            found = service(tmp_path, FakeHost(), kept=kept)
            await found.resume()
            while not (results := (await kept.load())[0][1]):
                pass  # reading lets the batch go on
            await found.close()
            return results[0]

    outcome = run(test())
    assert not outcome["success"]
    assert outcome["error"]["code"] == 5007
