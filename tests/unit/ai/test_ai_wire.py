"""Bytes of the engine's client, as captured on the wire."""

import pytest

from selfedge.bindings.ai import wire
from selfedge.bindings.ai.errors import IncompleteRequest, NoSuchModel
from selfedge.bindings.ai.tasks.contract import File


def test_a_run_is_read() -> None:
    run = wire.read_run(
        {"cf-consn-model-id": "@cf/meta/llama-3.1-8b-instruct"},
        {"version": "3"},
        b'{"inputs":{"prompt":"hi","max_tokens":5},"options":{"x":1}}',
    )
    assert run.model == "@cf/meta/llama-3.1-8b-instruct"
    assert run.inputs == {"prompt": "hi", "max_tokens": 5}
    assert run.options == {"x": 1}


def test_a_prefix_of_the_model_id_is_dropped() -> None:
    headers = {"cf-consn-model-id": "workers-ai:@cf/baai/bge-m3"}
    assert wire.read_run(headers, {}, b"{}").model == "@cf/baai/bge-m3"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"options":3}', b"\xff"])
def test_a_body_that_is_not_the_json_expected_is_incomplete(body: bytes) -> None:
    with pytest.raises(IncompleteRequest, match="headers or body"):
        wire.read_run({"cf-consn-model-id": "@cf/a/b"}, {}, body)


def test_a_request_without_model_is_incomplete() -> None:
    with pytest.raises(IncompleteRequest, match="cf-consn-model-id"):
        wire.read_run({}, {}, b"{}")


def test_a_stream_as_input_is_a_file_beside_the_other_inputs() -> None:
    run = wire.read_run(
        {"cf-consn-model-id": "@cf/openai/whisper", "content-type": "audio/mpeg"},
        {"version": "3", "userInputs": '{"language":"en"}', "x": "1"},
        b"abc",
    )
    assert run.inputs == {"language": "en"}
    assert run.options == {"x": "1"}
    assert run.file == File(b"abc", "audio/mpeg")


def test_inputs_beside_a_stream_must_be_json() -> None:
    with pytest.raises(IncompleteRequest, match="userInputs"):
        wire.read_run({"cf-consn-model-id": "@cf/a/b"}, {"userInputs": "{"}, b"x")


def test_errors_have_the_shape_that_the_client_reads() -> None:
    assert wire.error_value(NoSuchModel("No such model x")) == {
        "internalCode": 5007,
        "name": "AiError",
        "description": "No such model x",
    }


def test_an_event_is_one_line_of_json() -> None:
    assert wire.event({"response": "é\n"}) == 'data: {"response":"é\\n"}\n\n'.encode()
