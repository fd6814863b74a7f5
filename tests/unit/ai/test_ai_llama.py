"""What passes between us and llama.cpp."""

import pytest

from selfedge.bindings.ai.errors import BadInput, ContextExceeded, InferenceFailed
from selfedge.bindings.ai.jobs import Part
from selfedge.bindings.ai.jobs.text_generation import (
    GenerateText,
    Message,
    Text,
    Tool,
    ToolCall,
    Usage,
)
from selfedge.bindings.ai.runners.llama.reply import Reader
from selfedge.bindings.ai.runners.llama.request import body
from selfedge.bindings.ai.runners.llama.tools import guided

USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
WEATHER = Tool(
    name="weather",
    description="Of a city",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}},
)


def parts(chunk: dict) -> list[Part]:
    return Reader().parts(chunk)


def job(**options: object) -> GenerateText:
    given = {"max_tokens": 5, "temperature": 0.6, **options}
    chat = {"messages": [Message(role="user", content="x")], **given}
    return GenerateText(**chat)


def test_only_given_options_are_passed_on() -> None:
    assert body(job(top_k=3)) == {
        "messages": [{"role": "user", "content": "x"}],
        "max_tokens": 5,
        "temperature": 0.6,
        "top_k": 3,
        "stream": True,
        "return_progress": True,
        "stream_options": {"include_usage": True},
    }


def test_a_seed_over_32_bits_never_becomes_the_random_one() -> None:
    assert body(job(seed=7))["seed"] == 7
    assert body(job(seed=2**32 - 1))["seed"] != 2**32 - 1
    assert 0 <= body(job(seed=9_999_999_999))["seed"] < 2**32 - 1


def test_no_more_tokens_are_asked_for_than_the_library_can_count() -> None:
    assert body(job(max_tokens=10**18))["max_tokens"] == 2**31 - 1


def test_a_penalty_of_zero_divides_nothing() -> None:
    assert "repeat_penalty" not in body(job(repetition_penalty=0.0))
    assert body(job(repetition_penalty=1.1))["repeat_penalty"] == 1.1


def test_a_bare_prompt_goes_without_messages() -> None:
    found = body(GenerateText(prompt="Once", max_tokens=5, temperature=0.0))
    assert found["prompt"] == "Once"
    assert "messages" not in found


def test_chunks_of_chats_and_of_completions_become_parts() -> None:
    assert parts({"choices": [{"delta": {"role": "assistant", "content": None}}]}) == []
    assert parts({"choices": [{"delta": {"content": "a"}}]}) == [Text("a")]
    assert parts({"choices": [{"text": "b"}]}) == [Text("b")]
    assert parts({"choices": [], "usage": USAGE}) == [
        Usage(prompt_tokens=3, completion_tokens=4)
    ]


def test_a_prompt_over_the_context_has_the_documented_error() -> None:
    error = {
        "type": "exceed_context_size_error",
        "n_prompt_tokens": 9031,
        "n_ctx": 8192,
    }
    with pytest.raises(ContextExceeded, match=r"tokens \(9031\) exceeded .* \(8192\)"):
        parts({"error": error})


def test_other_errors_are_passed_on_in_words() -> None:
    with pytest.raises(InferenceFailed, match=r"llama\.cpp: no slot"):
        parts({"error": {"message": "no slot"}})


def test_what_the_library_finds_wrong_with_the_inputs_is_the_callers_error() -> None:
    with pytest.raises(BadInput, match="no grammar"):
        parts({"error": {"code": 400, "message": "no grammar"}})


def test_a_cut_text_says_so() -> None:
    reader = Reader()
    reader.parts({"choices": [{"delta": {}, "finish_reason": "length"}]})
    (usage,) = reader.parts({"choices": [], "usage": USAGE})
    assert usage.finish == "length"


def test_calls_that_the_library_streams_are_put_together() -> None:
    reader = Reader()
    for index, function in (
        (0, {"name": "weather", "arguments": ""}),
        (0, {"arguments": '{"city":'}),
        (0, {"arguments": '"Paris"}'}),
        (1, {"name": "time", "arguments": "{}"}),
    ):
        piece = {"index": index, "function": function}
        assert reader.parts({"choices": [{"delta": {"tool_calls": [piece]}}]}) == []
    first, second, usage = reader.parts({"choices": [], "usage": USAGE})
    assert first == ToolCall(id="call_0", name="weather", arguments='{"city":"Paris"}')
    assert second.name == "time"
    assert usage.finish == "tool_calls"


def guided_answer(text: str) -> list[Part]:
    reader = Reader(guided=True)
    assert reader.parts({"choices": [{"delta": {"content": text}}]}) == []
    return reader.parts({"choices": [], "usage": USAGE})


def test_a_guided_model_calls_or_answers() -> None:
    call, usage = guided_answer('{"name":"weather","arguments":{"city":"Paris"}}')
    assert (call.name, call.arguments) == ("weather", '{"city": "Paris"}')
    assert usage.finish == "tool_calls"
    assert guided_answer('{"response":"Hi"}')[0] == Text("Hi")


def test_a_guided_call_that_was_cut_off_is_none() -> None:
    (usage,) = guided_answer('{"name":"wea')
    assert isinstance(usage, Usage)


def test_tools_are_passed_on_in_the_form_of_openai() -> None:
    found = body(job(tools=[WEATHER], tool_choice="=weather"))
    (tool,) = found["tools"]
    assert tool["function"]["name"] == "weather"
    assert found["tool_choice"]["function"] == {"name": "weather"}


def test_a_model_that_knows_no_tools_is_told_of_them_and_held_to_them() -> None:
    found = guided(job(tools=[WEATHER]))
    assert found.tools == ()
    assert found.messages[0].role == "system"
    assert "Of a city" in found.messages[0].content
    call, answer = found.schema["anyOf"]
    assert call["properties"]["name"] == {"const": "weather"}
    assert answer["required"] == ["response"]


@pytest.mark.parametrize("choice", ["required", "=weather"])
def test_a_required_call_leaves_no_other_answer(choice: str) -> None:
    found = guided(job(tools=[WEATHER], tool_choice=choice))
    assert len(found.schema["anyOf"]) == 1


def test_once_a_tool_has_answered_the_model_writes_freely() -> None:
    turns = [
        Message(role="system", content="Be brief"),
        Message(role="user", content="Weather?"),
        Message(
            role="assistant",
            content="",
            tool_calls=[ToolCall(id="a", name="weather", arguments="{}")],
        ),
        Message(role="tool", content="21", tool_call_id="a", name="weather"),
    ]
    found = guided(job(tools=[WEATHER], messages=turns))
    assert found.schema is None
    assert [turn.role for turn in found.messages] == [
        "system",
        "user",
        "assistant",
        "user",
    ]
    assert found.messages[2].content == "I will look that up with weather."
    assert found.messages[3].content == "The function weather returned: 21"


def test_no_tools_may_be_called_when_the_choice_is_none() -> None:
    assert guided(job(tools=[WEATHER], tool_choice="none")).schema is None


def test_references_within_a_tools_parameters_still_lead_somewhere() -> None:
    parameters = {
        "$defs": {"city": {"type": "string"}},
        "properties": {"where": [{"$ref": "#/$defs/city"}], "$ref": {"type": "null"}},
    }
    tool = Tool(name="other", parameters=parameters)
    found = guided(job(tools=[WEATHER, tool])).schema["anyOf"][1]
    properties = found["properties"]["arguments"]["properties"]
    where = "#/anyOf/1/properties/arguments/$defs/city"
    assert properties == {"where": [{"$ref": where}], "$ref": {"type": "null"}}
