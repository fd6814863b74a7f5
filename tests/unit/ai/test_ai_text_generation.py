"""Inputs and answers of text generation."""

from collections.abc import AsyncGenerator

import pytest
from ai_support import LLAMA, SPOKEN, FakeHost, asked, run

from selfedge.bindings.ai.catalogue import load
from selfedge.bindings.ai.errors import (
    AiError,
    BadInput,
    JsonModeFailed,
    LoraUnsupported,
    StreamedJson,
)
from selfedge.bindings.ai.jobs import Part
from selfedge.bindings.ai.jobs.text_generation import (
    GenerateText,
    Message,
    Text,
    ToolCall,
    Usage,
)
from selfedge.bindings.ai.tasks.chat import SYSTEM_PROMPT
from selfedge.bindings.ai.tasks.text_generation import prepare
from selfedge.bindings.ai.weights.table import SMOLLM2

MODEL = load().get(LLAMA)
JSON = {"type": "json_object"}
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
FLAT = {"name": "weather", "description": "Of a city", "parameters": PARAMETERS}
ENVELOPED = {"type": "function", "function": FLAT}
DONE = Usage(prompt_tokens=9, completion_tokens=2)
SYSTEM = Message(role="system", content=SYSTEM_PROMPT)


def job(**inputs: object) -> GenerateText:
    return prepare(asked(inputs, MODEL, SMOLLM2)).job


def test_a_prompt_becomes_a_chat_with_the_documented_defaults() -> None:
    assert job(prompt="Hi") == GenerateText(
        messages=[SYSTEM, Message(role="user", content="Hi")],
        max_tokens=256,
        temperature=0.6,
    )


def test_a_chat_keeps_its_own_system_message() -> None:
    turns = [{"role": "system", "content": "Pirate"}, {"role": "user", "content": "x"}]
    assert job(messages=turns).messages == [
        Message(role="system", content="Pirate"),
        Message(role="user", content="x"),
    ]


def test_text_parts_of_a_message_are_joined() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    chat = job(messages=[{"role": "user", "content": parts}])
    assert chat.messages[1].content == "a\nb"


def test_raw_prompts_go_without_a_template() -> None:
    assert job(prompt="Once", raw=True).prompt == "Once"
    assert job(prompt="Once", raw=True).messages == ()


def test_nulls_count_as_absent_and_unknown_inputs_are_ignored() -> None:
    assert job(prompt="Hi", seed=None, max_tokens=None, shoe_size=43) == job(
        prompt="Hi"
    )


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ({}, "'prompt' or 'messages'"),
        ({"prompt": ""}, "prompt: expected str of length >= 1"),
        ({"prompt": 3}, "prompt: expected str, got int"),
        ({"prompt": "x" * 131_073}, "prompt: expected str of length <= 131072"),
        ({"messages": []}, "messages: expected array of length >= 1"),
        ({"messages": "hi"}, "messages: expected array"),
        ({"messages": [{"role": "robot", "content": "x"}]}, r"messages\[0\].role"),
        ({"messages": [{"role": "user"}]}, r"messages\[0\].content: is required"),
        ({"prompt": "x", "max_tokens": 0}, "max_tokens: expected int >= 1"),
        ({"prompt": "x", "max_tokens": 1.5}, "max_tokens: expected int"),
        ({"prompt": "x", "temperature": 5.1}, "temperature: expected float <= 5.0"),
        ({"prompt": "x", "temperature": "hot"}, "temperature: expected float, got str"),
        ({"prompt": "x", "top_p": 2.1}, "top_p: expected float <= 2.0"),
        ({"prompt": "x", "top_k": 51}, "top_k: expected int <= 50"),
        ({"prompt": "x", "top_k": 0}, "top_k: expected int >= 1"),
        ({"prompt": "x", "seed": 0}, "seed: expected int >= 1"),
        ({"prompt": "x", "seed": 10**10}, "seed: expected int <= 9999999999"),
        ({"prompt": "x", "repetition_penalty": 2.5}, "repetition_penalty"),
        ({"prompt": "x", "frequency_penalty": -2.5}, "frequency_penalty: .* >= -2"),
        ({"prompt": "x", "presence_penalty": 3}, "presence_penalty: .* <= 2"),
        ({"prompt": "x", "stream": "yes"}, "stream: expected bool, got str"),
        ({"prompt": "x", "tools": [{}]}, r"tools\[0\]: needs name"),
        ({"prompt": "x", "tools": [{"type": "web"}]}, r"tools\[0\].type"),
        ({"prompt": "x", "tools": [{"name": ""}]}, r"tools\[0\].name"),
        ({"prompt": "x", "tools": [FLAT, ENVELOPED]}, "the name weather is there twi"),
        (
            {"prompt": "x", "tools": [{"name": "a", "parameters": {"type": "array"}}]},
            r"tools\[0\].parameters.type: must be object",
        ),
        ({"prompt": "x", "tools": [FLAT], "raw": True}, "raw: tools need"),
        ({"prompt": "x", "tool_choice": "maybe"}, "tool_choice"),
        (
            {"prompt": "x", "tool_choice": {"function": {"name": "nope"}}},
            "tool_choice: there is no tool nope",
        ),
        ({"prompt": "x", "functions": [{}]}, "functions: not supported; .* tools"),
        ({"prompt": "x", "stop": ""}, "stop: expected str of length >= 1"),
        ({"prompt": "x", "response_format": {"type": "xml"}}, "response_format.type"),
        (
            {"prompt": "x", "response_format": {"type": "json_schema"}},
            "response_format.json_schema: must be",
        ),
        (
            {"prompt": "x", "response_format": JSON, "tools": [FLAT]},
            "response_format: .* tools",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{}]}]},
            r"messages\[0\].tool_calls\[0\]: needs name",
        ),
        (
            {
                "messages": [
                    {
                        "role": "assistant",
                        "tool_calls": [{"name": "a", "arguments": "{"}],
                    }
                ]
            },
            r"messages\[0\].tool_calls\[0\].arguments: is no JSON",
        ),
        ({"messages": [{"role": "user", "content": "x"}], "raw": True}, "raw: needs"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            r"messages\[0\].content: .* not image_url",
        ),
    ],
)
def test_bad_inputs_name_the_field_and_the_limit(
    inputs: dict[str, object], text: str
) -> None:
    with pytest.raises(BadInput, match=text):
        job(**inputs)


@pytest.mark.parametrize("inputs", [None, [], "hi", 3])
def test_inputs_that_are_no_object_are_refused(inputs: object) -> None:
    with pytest.raises(BadInput, match="must be an object"):
        prepare(asked(inputs, MODEL, SMOLLM2))


def test_adapters_have_their_own_error() -> None:
    with pytest.raises(LoraUnsupported, match="LoRA"):
        job(prompt="x", lora="mine")


def test_the_whole_answer_has_text_and_usage() -> None:
    answer = run(prepare(asked({"prompt": "x"}, MODEL, SMOLLM2)).collect(parts()))
    assert answer == {
        "response": "Paris",
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
    }


def test_a_stream_ends_with_the_usage() -> None:
    async def events() -> list[object]:
        prepared = prepare(asked({"prompt": "x", "stream": True}, MODEL, SMOLLM2))
        assert prepared.streams
        return [event async for event in prepared.events(parts())]

    first, second, last = run(events())
    assert (first, second) == ({"response": "Par"}, {"response": "is"})
    assert last["response"] == ""
    assert last["usage"]["total_tokens"] == 11


def test_an_answer_cut_short_is_an_error() -> None:
    with pytest.raises(AiError, match="stopped"):
        run(prepare(asked({"prompt": "x"}, MODEL, SMOLLM2)).collect(parts(1)))


def parts(count: int = len(SPOKEN)) -> AsyncGenerator[Part, None]:
    return FakeHost(SPOKEN[:count]).run(None)


def test_both_forms_of_tools_are_the_same_inside() -> None:
    assert job(prompt="x", tools=[FLAT]) == job(prompt="x", tools=[ENVELOPED])
    (tool,) = job(prompt="x", tools=[FLAT]).tools
    assert (tool.name, tool.parameters) == ("weather", PARAMETERS)


@pytest.mark.parametrize(
    ("wanted", "inside"),
    [
        ("auto", "auto"),
        ("any", "required"),
        ({"type": "function", "function": {"name": "weather"}}, "=weather"),
    ],
)
def test_a_choice_of_tools_is_passed_on(wanted: object, inside: str) -> None:
    assert job(prompt="x", tools=[FLAT], tool_choice=wanted).tool_choice == inside


@pytest.mark.parametrize(
    "call",
    [
        {"name": "weather", "arguments": {"city": "Paris"}},
        {"id": "c", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}},
    ],
)
def test_a_call_and_its_result_come_back_as_turns(call: dict[str, object]) -> None:
    turns = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "21", "tool_call_id": "c", "name": "weather"},
    ]
    asked_for, result = job(messages=turns, tools=[FLAT]).messages[2:]
    (found,) = asked_for.tool_calls
    assert (found.name, found.arguments) == ("weather", '{"city": "Paris"}')
    assert (result.role, result.content, result.name) == ("tool", "21", "weather")


def heard(inputs: dict[str, object], *answer: Part) -> dict:
    prepared = prepare(asked({"prompt": "x", **inputs}, MODEL, SMOLLM2))
    return run(prepared.collect(FakeHost(answer).run(None)))


def test_a_call_is_given_with_its_arguments_as_an_object() -> None:
    call = ToolCall(id="c", name="weather", arguments='{"city":"Paris"}')
    found = heard({"tools": [FLAT]}, call, DONE)
    assert found["response"] is None
    assert found["tool_calls"] == [{"name": "weather", "arguments": {"city": "Paris"}}]


def test_in_json_mode_the_response_is_an_object() -> None:
    found = heard({"response_format": JSON}, Text('{"a": '), Text("1}"), DONE)
    assert found["response"] == {"a": 1}


def test_a_schema_may_be_in_the_envelope_of_openai() -> None:
    enveloped = {"type": "json_schema", "json_schema": {"schema": PARAMETERS}}
    plain = {"type": "json_schema", "json_schema": PARAMETERS}
    assert job(prompt="x", response_format=enveloped).schema == PARAMETERS
    assert job(prompt="x", response_format=plain).schema == PARAMETERS
    assert job(prompt="x", response_format=JSON).schema == {"type": "object"}
    assert job(prompt="x", response_format={"type": "text"}).schema is None


def test_json_that_was_cut_off_has_its_own_error() -> None:
    cut = Usage(prompt_tokens=9, completion_tokens=2, finish="length")
    text = "JSON Mode couldn't be met: .* cut off after 2 tokens; raise max_tokens"
    with pytest.raises(JsonModeFailed, match=text):
        heard({"response_format": JSON}, Text('{"a": '), cut)


def test_json_mode_does_not_stream() -> None:
    with pytest.raises(StreamedJson, match="not supported with stream"):
        job(prompt="x", response_format=JSON, stream=True)


def test_the_newer_name_of_the_token_limit_wins() -> None:
    assert job(prompt="x", max_tokens=3, max_completion_tokens=4).max_tokens == 4
