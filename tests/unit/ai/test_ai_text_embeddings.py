"""Inputs and answers of text embeddings."""

import math
from dataclasses import replace

import pytest
from ai_support import BGE, FakeHost, asked, run

from selfedge.bindings.ai.catalogue import load
from selfedge.bindings.ai.errors import AiError, BadInput
from selfedge.bindings.ai.jobs.text_embeddings import EmbedTexts, Vectors
from selfedge.bindings.ai.tasks.text_embeddings import prepare
from selfedge.bindings.ai.weights.table import MINILM

MODEL = load().get(BGE)
M3 = load().get("@cf/baai/bge-m3")
OWN = load().get("@local/all-minilm-l6-v2")


def answer(vectors: list[list[float]], **inputs: object) -> dict:
    prepared = prepare(asked(inputs, MODEL, MINILM))
    return run(prepared.collect(FakeHost([Vectors(vectors)]).run(None))).value


def test_one_text_and_many_texts_are_both_lists_inside() -> None:
    assert prepare(asked({"text": "a"}, MODEL, MINILM)).job.texts == ["a"]
    assert prepare(asked({"text": ["a", "b"]}, MODEL, MINILM)).job.texts == ["a", "b"]


def test_the_width_is_that_of_the_model_asked_for_and_the_cosine_is_kept() -> None:
    one, other = [0.6, 0.8], [0.8, 0.6]
    found = answer([one, other], text=["a", "b"])
    assert found["shape"] == [2, 768]
    assert found["pooling"] == "mean"
    assert all(len(vector) == 768 for vector in found["data"])
    dot = sum(x * y for x, y in zip(*found["data"], strict=True))
    assert math.isclose(dot, 0.96)


def test_a_stand_in_keeps_its_own_pooling_and_the_answer_names_the_one_asked_for() -> (
    None
):
    prepared = prepare(asked({"text": "a", "pooling": "cls"}, MODEL, MINILM))
    assert prepared.job == EmbedTexts(texts=["a"], pooling="mean")
    assert answer([[1.0]], text="a", pooling="cls")["pooling"] == "cls"


def test_the_model_itself_does_as_it_is_told() -> None:
    prepared = prepare(asked({"text": "a", "pooling": "cls"}, OWN, MINILM))
    assert prepared.job == EmbedTexts(texts=["a"], pooling="cls")


def test_no_texts_give_no_vectors() -> None:
    assert answer([], text=[]) == {"shape": [0, 768], "data": [], "pooling": "mean"}


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ({}, "'text'"),
        ({"text": ""}, "text: expected str of length >= 1"),
        ({"text": ["a", ""]}, r"text\[.*\]: expected str of length >= 1"),
        ({"text": ["a"] * 101}, "text: expected array of length <= 100"),
        ({"text": 3}, "text: expected"),
        ({"text": [3]}, r"text\[.*\]: expected str, got int"),
        ({"text": "a", "pooling": "max"}, "pooling: invalid enum value 'max'"),
        ({"contexts": [{"text": "a"}]}, "contexts: only bge-m3"),
        ({"query": "a", "text": "b"}, "query: only bge-m3"),
        ({"requests": []}, "requests: .* queueRequest"),
        ({"text": "a", "truncate_inputs": 1}, "truncate_inputs: expected bool"),
    ],
)
def test_bad_inputs_name_the_field_and_the_limit(
    inputs: dict[str, object], text: str
) -> None:
    with pytest.raises(BadInput, match=text):
        prepare(asked(inputs, MODEL, MINILM))


def compared(vectors: list[list[float]], **inputs: object) -> dict:
    prepared = prepare(asked(inputs, M3, MINILM))
    return run(prepared.collect(FakeHost([Vectors(vectors)]).run(None))).value


def test_a_query_is_compared_with_each_context() -> None:
    contexts = [{"text": "far"}, {"text": "near"}]
    inputs = {"query": "q", "contexts": contexts}
    assert prepare(asked(inputs, M3, MINILM)).job.texts == ["q", "far", "near"]
    found = compared([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], **inputs)
    assert found == {"response": [{"id": 0, "score": 0.0}, {"id": 1, "score": 1.0}]}


def test_contexts_without_a_query_are_embedded() -> None:
    found = compared([[1.0]], contexts=[{"text": "a"}])
    assert found["shape"] == [1, 1024]
    assert found["response"][0][:2] == [1.0, 0.0]


def test_a_query_needs_contexts() -> None:
    with pytest.raises(BadInput, match="contexts: is required beside query"):
        prepare(asked({"query": "q"}, M3, MINILM))


def test_only_bge_m3_itself_refuses_long_texts() -> None:
    own = replace(M3, weights=MINILM)
    assert not prepare(asked({"text": "a"}, own, MINILM)).job.truncate
    cut = {"text": "a", "truncate_inputs": True}
    assert prepare(asked(cut, own, MINILM)).job.truncate
    assert prepare(asked({"text": "a"}, M3, MINILM)).job.truncate
    assert prepare(asked({"text": "a"}, MODEL, MINILM)).job.truncate


def test_an_answer_without_vectors_is_an_error() -> None:
    prepared = prepare(asked({"text": "a"}, MODEL, MINILM))
    with pytest.raises(AiError, match="no vectors"):
        run(prepared.collect(FakeHost([]).run(None)))
