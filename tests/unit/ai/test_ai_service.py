"""Which model answers, and what is said about it."""

from pathlib import Path

import pytest
from ai_support import BGE, LLAMA, FakeHost, run, service

from selfedge.bindings.ai.errors import AiError, BadInput, NoSuchModel
from selfedge.bindings.ai.jobs.text_embeddings import Vectors
from selfedge.bindings.ai.runners import Kind
from selfedge.bindings.ai.service import AIService, Answer, Stream
from selfedge.bindings.ai.weights import install

HI = {"prompt": "Hi"}


def ask(
    found: AIService, model: str, inputs: object = None, **options: object
) -> Answer | Stream:
    return run(found.run(model, HI if inputs is None else inputs, options))


def test_a_stand_in_is_announced_once_for_each_id(tmp_path: Path) -> None:
    notices: list[str] = []
    found = service(tmp_path, FakeHost(), notices)
    answer = ask(found, LLAMA)
    ask(found, LLAMA)
    ask(found, "@cf/microsoft/phi-2")
    assert isinstance(answer, Answer)
    assert answer.served == "SmolLM2-135M-Instruct"
    assert [line.split(":")[0] for line in notices] == [LLAMA, "@cf/microsoft/phi-2"]
    assert "SmolLM2-135M-Instruct stands in" in notices[0]


def test_the_model_itself_needs_no_announcement(tmp_path: Path) -> None:
    notices: list[str] = []
    found = service(tmp_path, FakeHost(), notices, strict=True)
    ask(found, "@local/smollm2-135m-instruct")
    assert notices == []


def test_strict_models_allow_no_stand_in(tmp_path: Path) -> None:
    found = service(tmp_path, FakeHost(), strict=True)
    text = f"No such model {BGE} or its weights are not installed: .*strict"
    with pytest.raises(NoSuchModel, match=text) as caught:
        ask(found, BGE, {"text": "x"})
    assert "@local/all-minilm-l6-v2" in str(caught.value)
    assert "selfedge ai install" in str(caught.value)


def test_an_unknown_id_is_no_such_model(tmp_path: Path) -> None:
    with pytest.raises(NoSuchModel, match=r"No such model @cf/a/b or task$"):
        ask(service(tmp_path, FakeHost()), "@cf/a/b")


def test_a_near_miss_is_pointed_out(tmp_path: Path) -> None:
    with pytest.raises(NoSuchModel, match=f"did you mean {LLAMA}"):
        ask(service(tmp_path, FakeHost()), LLAMA.replace("int8", "int9"))


def test_a_task_that_is_not_served_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoSuchModel, match="does not serve voice-activity-detection"):
        ask(service(tmp_path, FakeHost()), "@cf/pipecat-ai/smart-turn-v2", {})


def test_bad_inputs_reach_no_model(tmp_path: Path) -> None:
    host = FakeHost()
    with pytest.raises(BadInput):
        ask(service(tmp_path, host), LLAMA, {"prompt": 3})
    assert host.calls == []


def test_embeddings_have_the_width_of_the_model(tmp_path: Path) -> None:
    host = FakeHost([Vectors([[1.0] * 384])])
    answer = ask(service(tmp_path, host), BGE, {"text": "x"})
    assert answer.value["shape"] == [1, 768]
    assert host.calls[0].runner == "text-embeddings"


def test_a_failure_before_the_first_token_is_an_error_not_a_stream(
    tmp_path: Path,
) -> None:
    host = FakeHost([], error=AiError("died"))
    with pytest.raises(AiError, match="died"):
        ask(service(tmp_path, host), LLAMA, {**HI, "stream": True})
    assert host.ended.is_set()


def test_a_stream_that_nobody_reads_any_more_is_ended(tmp_path: Path) -> None:
    host = FakeHost(holds=True)

    async def leave() -> None:
        stream = await service(tmp_path, host).run(LLAMA, {**HI, "stream": True}, {})
        assert isinstance(stream, Stream)
        assert await anext(stream.events) == {"response": "Par"}
        await stream.events.aclose()
        assert host.ended.is_set()

    run(leave())


def test_a_missing_library_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "RUNNERS", {"llama": Kind("x", ("no_such",))})
    with pytest.raises(NoSuchModel, match=r"pip install 'selfedge\[models\]'"):
        ask(service(tmp_path, FakeHost()), LLAMA)
