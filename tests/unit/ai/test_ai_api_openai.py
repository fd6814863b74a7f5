"""OpenAI's shapes, without a model or a server."""

import asyncio
import base64
import json
from array import array

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedge.bindings.ai.errors import (
    AiError,
    BadInput,
    ContextExceeded,
    InferenceFailed,
    NoSuchModel,
)
from selfedge.bindings.ai.openai import chat, completions, embeddings
from selfedge.bindings.ai.openai.answers import Head
from selfedge.bindings.ai.openai.errors import error_body, http_status
from selfedge.bindings.ai.openai.requests import decode, native_seed
from selfedge.bindings.ai.openai.tool_calls import tool_calls

HEAD = Head(id="chatcmpl-1", created=7, model="m")
USER = {"role": "user", "content": "Hi"}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def asked(**more):
    body = {"model": "m", "messages": [USER], **more}
    return decode(json.dumps(body).encode(), chat.ChatRequest)


def events(*values):
    async def generate():
        for value in values:
            yield value

    return generate()


def collected(generator):
    async def collect():
        return [item async for item in generator]

    return asyncio.run(collect())


def test_what_was_not_asked_for_is_left_to_the_model():
    assert chat.inputs(asked()) == {"messages": [USER]}


def test_nulls_count_as_absent():
    assert chat.inputs(asked(temperature=None, stop=None, tools=None)) == {
        "messages": [USER]
    }


def test_the_newer_name_of_the_limit_wins():
    found = chat.inputs(asked(max_tokens=5, max_completion_tokens=9))
    assert found["max_tokens"] == 9


def test_a_developer_is_a_system():
    found = chat.inputs(asked(messages=[{"role": "developer", "content": "Be short"}]))
    assert found["messages"] == [{"role": "system", "content": "Be short"}]


def test_past_calls_of_tools_need_no_content():
    past = {"role": "assistant", "content": None, "tool_calls": [{"id": "a"}]}
    (found,) = chat.inputs(asked(messages=[past]))["messages"]
    assert found == {"role": "assistant", "content": "", "tool_calls": [{"id": "a"}]}


def test_the_schema_comes_out_of_openais_envelope():
    schema = {"type": "object"}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    found = chat.inputs(asked(response_format=wanted))["response_format"]
    assert found == {"type": "json_schema", "json_schema": schema}
    assert "response_format" not in chat.inputs(asked(response_format={"type": "text"}))


@pytest.mark.parametrize("seed", [1, 7, 9_999_999_999])
def test_seeds_in_range_stay(seed):
    assert native_seed(seed) == seed


@given(st.integers())
def test_every_seed_is_one_that_models_take(seed):
    assert 1 <= native_seed(seed) <= 9_999_999_999


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"functions": [{}]}, "functions"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"model": ""}, "model"),
        ({"stream": "yes"}, "stream"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"temperature": "hot"}, "temperature"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(more, field):
    with pytest.raises(BadInput) as refused:
        chat.inputs(asked(**more))
    assert error_body(refused.value)["error"]["param"] == field


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_request_is_bad_input(body):
    with pytest.raises(BadInput):
        decode(body, chat.ChatRequest)


def test_a_whole_answer():
    found = chat.whole({"response": "Paris", "usage": USAGE}, asked(), HEAD)
    (choice,) = found["choices"]
    assert choice["message"]["content"] == "Paris"
    assert choice["finish_reason"] == "stop"
    assert (found["object"], found["usage"]) == ("chat.completion", USAGE)


def test_the_limit_is_a_reason_to_end():
    answer = {"response": "Paris", "usage": USAGE}
    (choice,) = chat.whole(answer, asked(max_tokens=2), HEAD)["choices"]
    assert choice["finish_reason"] == "length"


def test_json_mode_gives_text_that_parses():
    answer = {"response": {"a": [1]}, "usage": USAGE}
    (choice,) = chat.whole(answer, asked(), HEAD)["choices"]
    assert json.loads(choice["message"]["content"]) == {"a": [1]}


def test_calls_of_tools_have_openais_envelope():
    call = {"name": "add", "arguments": {"a": 1}}
    answer = {"response": None, "tool_calls": [call, call], "usage": USAGE}
    (choice,) = chat.whole(answer, asked(), HEAD)["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    first, second = choice["message"]["tool_calls"]
    assert first["id"] != second["id"]
    assert first["function"]["name"] == "add"
    assert json.loads(first["function"]["arguments"]) == {"a": 1}


def test_calls_that_are_in_openais_form_stay():
    call = {"id": "x", "function": {"name": "f", "arguments": '{"a": 1}'}}
    (found,) = tool_calls([call], "id")
    assert (found["id"], found["function"]["arguments"]) == ("x", '{"a": 1}')


def test_a_stream_begins_with_the_role_and_ends_with_the_reason():
    source = events({"response": "Par"}, {"response": "is"}, {"usage": USAGE})
    first, *texts, last = collected(chat.pieces(source, asked(stream=True), HEAD))
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert [text["choices"][0]["delta"]["content"] for text in texts] == ["Par", "is"]
    assert last["choices"][0]["finish_reason"] == "stop"
    assert "usage" not in last
    assert {piece["id"] for piece in (first, *texts, last)} == {HEAD.id}


def test_usage_comes_last_when_it_is_asked_for():
    options = {"include_usage": True}
    source = events({"response": "Hi"}, {"response": "", "usage": USAGE})
    found = collected(
        chat.pieces(source, asked(stream=True, stream_options=options), HEAD)
    )
    assert (found[-1]["choices"], found[-1]["usage"]) == ([], USAGE)
    assert all(piece["usage"] is None for piece in found[:-1])


def test_streamed_calls_are_numbered():
    call = {"name": "f", "arguments": {}}
    source = events({"tool_calls": [call]}, {"tool_calls": [call]}, {"usage": USAGE})
    _, one, two, last = collected(chat.pieces(source, asked(stream=True), HEAD))
    calls = [piece["choices"][0]["delta"]["tool_calls"] for piece in (one, two)]
    assert [[call["index"] for call in piece] for piece in calls] == [[0], [1]]
    assert calls[0][0]["id"] != calls[1][0]["id"]
    assert last["choices"][0]["finish_reason"] == "tool_calls"


def completion(**more):
    body = {"model": "m", "prompt": "Once", **more}
    return decode(json.dumps(body).encode(), completions.CompletionRequest)


def test_a_completion_bypasses_the_chat_template():
    assert completions.inputs(completion()) == [{"raw": True, "prompt": "Once"}]


def test_each_prompt_has_a_choice_and_the_usage_is_the_sum():
    request = completion(prompt=["a", "b"])
    assert [one["prompt"] for one in completions.inputs(request)] == ["a", "b"]
    answers = [{"response": text, "usage": USAGE} for text in "xy"]
    found = completions.whole(answers, request, HEAD)
    assert [(c["index"], c["text"]) for c in found["choices"]] == [(0, "x"), (1, "y")]
    assert found["usage"]["total_tokens"] == 10


@pytest.mark.parametrize(
    "more",
    [
        {"prompt": [1, 2]},
        {"prompt": []},
        {"prompt": ["a", "b"], "stream": True},
        {"n": 2},
        {"best_of": 2},
        {"suffix": "x"},
        {"echo": True},
        {"logprobs": 1},
    ],
)
def test_a_completion_that_cannot_be_honoured_is_refused(more):
    with pytest.raises(BadInput):
        completions.inputs(completion(**more))


def embedding(**more):
    body = {"model": "m", "input": "a", **more}
    return decode(json.dumps(body).encode(), embeddings.EmbeddingsRequest)


def test_base64_is_of_the_same_numbers():
    answer = {"data": [[0.5, -1.25]]}
    (plain,) = embeddings.whole(answer, embedding(), 1)["data"]
    (packed,) = embeddings.whole(answer, embedding(encoding_format="base64"), 1)["data"]
    assert plain["embedding"] == [0.5, -1.25]
    numbers = array("f", base64.b64decode(packed["embedding"]))
    assert list(numbers) == [0.5, -1.25]


@pytest.mark.parametrize("texts", [[], [1, 2], [[1, 2]], ["a", None]])
def test_what_is_no_text_has_no_vector(texts):
    with pytest.raises(BadInput, match="input:"):
        embeddings.inputs(embedding(input=texts))


def test_another_width_is_refused():
    answer = {"data": [[0.5, -1.25]]}
    embeddings.whole(answer, embedding(dimensions=2), 1)
    with pytest.raises(BadInput, match="dimensions: m gives 2"):
        embeddings.whole(answer, embedding(dimensions=3), 1)


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        (NoSuchModel("x"), 404, "invalid_request_error", "model_not_found"),
        (BadInput("x: y"), 400, "invalid_request_error", "5006"),
        (ContextExceeded("x"), 400, "invalid_request_error", "context_length_exceeded"),
        (InferenceFailed("x"), 500, "server_error", "3043"),
    ],
)
def test_errors_are_what_openais_client_tells_apart(
    error: AiError, status: int, kind: str, code: str
):
    found = error_body(error)["error"]
    assert (http_status(error), found["type"], found["code"]) == (status, kind, code)
    assert found["message"] == str(error)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        *chat.ChatRequest.__struct_fields__,
        *completions.CompletionRequest.__struct_fields__,
        *embeddings.EmbeddingsRequest.__struct_fields__,
    ]
)


@given(
    st.sampled_from(
        [
            (chat.ChatRequest, chat.inputs),
            (completions.CompletionRequest, completions.inputs),
            (embeddings.EmbeddingsRequest, embeddings.inputs),
        ]
    ),
    st.dictionaries(NAMES, JSON, max_size=6),
)
def test_any_json_is_inputs_or_bad_input(shape, values):
    kind, inputs = shape
    try:
        found = inputs(decode(msgspec.json.encode(values), kind))
    except BadInput:
        return
    assert isinstance(found, dict | list)
