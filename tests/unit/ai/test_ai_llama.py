"""What passes between us and llama.cpp."""

import pytest

from selfedge.bindings.ai.errors import ContextExceeded, InferenceFailed
from selfedge.bindings.ai.jobs.text_generation import GenerateText, Message, Text, Usage
from selfedge.bindings.ai.runners.llama import CONTEXT_TOKENS, body, parts


def job(**options: object) -> GenerateText:
    given = {"max_tokens": 5, "temperature": 0.6, **options}
    return GenerateText(messages=[Message(role="user", content="x")], **given)


def test_only_given_options_are_passed_on() -> None:
    assert body(job(top_k=3)) == {
        "messages": [{"role": "user", "content": "x"}],
        "max_tokens": 5,
        "temperature": 0.6,
        "top_k": 3,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_a_seed_over_32_bits_never_becomes_the_random_one() -> None:
    assert body(job(seed=7))["seed"] == 7
    assert body(job(seed=2**32 - 1))["seed"] != 2**32 - 1
    assert 0 <= body(job(seed=9_999_999_999))["seed"] < 2**32 - 1


def test_no_more_tokens_are_asked_for_than_the_context_holds() -> None:
    assert body(job(max_tokens=10**18))["max_tokens"] == CONTEXT_TOKENS


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
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    assert parts({"choices": [], "usage": usage}) == [
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
