"""Inputs and answers of rerank, classification, translation, summaries and speech."""

import base64
from pathlib import Path

import pytest
from ai_support import FakeHost, asked, run, service

from selfedge.bindings.ai.catalogue import load
from selfedge.bindings.ai.errors import AiError, BadInput, NoSuchModel
from selfedge.bindings.ai.jobs.rewriting import RewriteText, Rewritten
from selfedge.bindings.ai.jobs.speech_synthesis import Speech
from selfedge.bindings.ai.jobs.text_embeddings import EmbedTexts, Vectors
from selfedge.bindings.ai.jobs.text_generation import Text, Usage
from selfedge.bindings.ai.jobs.text_scores import Pair, Scores, ScoreTexts
from selfedge.bindings.ai.tasks import TASKS
from selfedge.bindings.ai.tasks.contract import Asked, File, Prepared
from selfedge.bindings.ai.weights.table import STAND_INS, Weights

RERANK = "@cf/baai/bge-reranker-base"
SENTIMENT = "@cf/huggingface/distilbert-sst-2-int8"
TRANSLATE = "@cf/meta/m2m100-1.2b"
SUMMARY = "@cf/facebook/bart-large-cnn"
MELO = "@cf/myshell-ai/melotts"
AURA = "@cf/deepgram/aura-1"

CATALOGUE = load()
RUNNERS = {
    "rerank": "onnx-classifier",
    "text-classification": "onnx-classifier",
    "translation": "onnx-seq2seq",
    "summarization": "onnx-seq2seq",
    "text-to-speech": "onnx-voice",
}


def own(task: str) -> Weights:
    """Return weights that a user gave."""
    return Weights(name="own", licence="?", task=task, runner=RUNNERS[task])


def prepared(model_id: str, inputs: object, weights: Weights | None = None) -> Prepared:
    model = CATALOGUE.get(model_id)
    found = weights or STAND_INS.get(model.task) or own(model.task)
    return TASKS[model.task](asked(inputs, model, found))


def answer(call: Prepared, *parts: object) -> object:
    return run(call.collect(FakeHost(parts).run(None)))


QUESTION = {"query": "q", "contexts": [{"text": "a"}, {"text": "b"}, {"text": "c"}]}


def test_an_encoder_ranks_by_cosine() -> None:
    call = prepared(RERANK, QUESTION)
    assert call.job == EmbedTexts(texts=["q", "a", "b", "c"], pooling="mean")
    found = answer(call, Vectors([[1.0, 0.0], [0.6, 0.8], [0.8, 0.6], [-1.0, 0.0]]))
    assert found == {
        "response": [
            {"id": 1, "score": 0.8},
            {"id": 0, "score": 0.6},
            {"id": 2, "score": 0.0},
        ]
    }


def test_a_cross_encoder_ranks_by_probability_and_top_k_cuts() -> None:
    call = prepared(RERANK, {**QUESTION, "top_k": 2}, own("rerank"))
    assert call.job == ScoreTexts([Pair("q", "a"), Pair("q", "b"), Pair("q", "c")])
    rows = [[-9999.0], [0.0], [0.0]]
    assert answer(call, Scores(labels=["LABEL_0"], rows=rows)) == {
        "response": [{"id": 1, "score": 0.5}, {"id": 2, "score": 0.5}]
    }


def test_an_encoder_classifies_by_examples_and_names_both_labels() -> None:
    call = prepared(SENTIMENT, {"text": "nice"})
    assert call.job.texts[0] == "nice"
    assert len(call.job.texts) == 7
    bad, good = [1.0, 0.0], [0.0, 1.0]
    found = answer(call, Vectors([[0.0, 1.0], bad, bad, bad, good, good, good]))
    assert [one["label"] for one in found] == ["NEGATIVE", "POSITIVE"]
    assert sum(one["score"] for one in found) == pytest.approx(1)
    assert found[1]["score"] > 0.99


def test_a_classifier_names_its_own_labels() -> None:
    call = prepared(SENTIMENT, {"text": "nice"}, own("text-classification"))
    found = answer(call, Scores(labels=["sad", "glad"], rows=[[1.0, 1.0]]))
    assert found == [{"label": "sad", "score": 0.5}, {"label": "glad", "score": 0.5}]


@pytest.mark.parametrize("target", ["fr", "FR", "french", "French"])
def test_languages_are_codes_or_names(target: str) -> None:
    call = prepared(TRANSLATE, {"text": "hi", "target_lang": target})
    assert (call.job.source_lang, call.job.target_lang.lower()) == ("en", "fr")
    assert answer(call, Rewritten("salut")) == {"translated_text": "salut"}


def test_codes_of_other_models_stay() -> None:
    inputs = {"text": "hi", "source_lang": "eng_Latn", "target_lang": "hin_Deva"}
    job = prepared("@cf/ai4bharat/indictrans2-en-indic-1B", inputs).job
    assert (job.source_lang, job.target_lang) == ("eng_Latn", "hin_Deva")


def test_a_chat_model_is_asked_for_a_summary() -> None:
    call = prepared(SUMMARY, {"input_text": "A long story.", "max_length": 9999 // 3})
    assert call.job.messages[1].content == "A long story."
    assert (call.job.max_tokens, call.job.temperature) == (256, 0.0)
    parts = (Text(" Sh"), Text("ort."), Usage(prompt_tokens=9, completion_tokens=2))
    assert answer(call, *parts) == {"summary": "Short."}


def test_a_summary_model_writes_a_summary() -> None:
    call = prepared(SUMMARY, {"input_text": "A long story."}, own("summarization"))
    assert call.job == RewriteText(text="A long story.", max_tokens=1024)
    assert answer(call, Rewritten("Short.")) == {"summary": "Short."}
    assert answer(call, Rewritten("")) == {"summary": ""}


def test_melotts_answers_base64() -> None:
    call = prepared(MELO, {"prompt": "Hello", "lang": "en"})
    assert (call.job.encoding, call.job.language) == ("mp3", "en")
    found = answer(call, Speech(b"ID3"))
    assert base64.b64decode(found["audio"]) == b"ID3"


@pytest.mark.parametrize(
    ("inputs", "encoding", "content_type"),
    [
        ({}, "mp3", "audio/mpeg"),
        ({"encoding": "linear16"}, "linear16", "audio/wav"),
        (
            {"encoding": "linear16", "container": "none"},
            "raw-linear16",
            "application/octet-stream",
        ),
        ({"encoding": "opus", "sample_rate": 48_000}, "opus", "audio/ogg"),
        ({"encoding": "flac"}, "flac", "audio/flac"),
    ],
)
def test_aura_answers_a_file(
    inputs: dict[str, object], encoding: str, content_type: str
) -> None:
    call = prepared(AURA, {"text": "Hello", **inputs})
    assert call.job.encoding == encoding
    assert answer(call, Speech(b"sound")) == File(b"sound", content_type)


@pytest.mark.parametrize(
    ("model", "inputs", "text"),
    [
        (RERANK, {}, "query"),
        (RERANK, {"query": "", "contexts": []}, "query: expected str of length >= 1"),
        (RERANK, {"query": "q", "contexts": []}, "contexts: expected array of length"),
        (RERANK, {"query": "q", "contexts": ["a"]}, "contexts.*: expected object"),
        (
            RERANK,
            {"query": "q", "contexts": [{"text": 1}]},
            r"contexts.*text: expected",
        ),
        (RERANK, {**QUESTION, "top_k": 0}, "top_k: expected int >= 1"),
        (RERANK, {**QUESTION, "contexts": [{"text": "a"}] * 501}, "contexts: .*<= 500"),
        (SENTIMENT, {}, "text"),
        (SENTIMENT, {"text": "x" * 131_073}, "text: expected str of length <="),
        (TRANSLATE, {"text": "a"}, "target_lang"),
        (TRANSLATE, {"text": "a", "target_lang": "??"}, "target_lang: give a language"),
        (TRANSLATE, {"text": "", "target_lang": "fr"}, "text: expected str"),
        (SUMMARY, {}, "input_text"),
        (
            SUMMARY,
            {"input_text": "a", "max_length": 0},
            "max_length: expected int >= 1",
        ),
        (MELO, {}, "'prompt'"),
        (MELO, {"prompt": " "}, "nothing to be said"),
        (MELO, {"prompt": "a", "lang": "English"}, "lang: "),
        (MELO, {"prompt": "a" * 10_001}, "prompt: expected str of length <= 10000"),
        (AURA, {}, "'text'"),
        (AURA, {"text": "a", "encoding": "aac"}, "encoding: aac is not available"),
        (AURA, {"text": "a", "encoding": "midi"}, "encoding: invalid enum value"),
        (AURA, {"text": "a", "encoding": "mp3", "container": "ogg"}, "container: ogg"),
        (AURA, {"text": "a", "sample_rate": 7}, "sample_rate: expected int >= 8000"),
        (AURA, {"text": "a", "sample_rate": 9000}, "sample_rate: mp3 takes one of"),
    ],
)
def test_bad_inputs_name_the_field_and_the_limit(
    model: str, inputs: dict[str, object], text: str
) -> None:
    with pytest.raises(BadInput, match=text):
        prepared(model, inputs)


@pytest.mark.parametrize("model_id", [RERANK, SENTIMENT, TRANSLATE, SUMMARY, MELO])
def test_streams_are_refused(model_id: str) -> None:
    model = CATALOGUE.get(model_id)
    call = Asked(
        model=model, weights=own(model.task), inputs={}, file=File(b"x", "text/plain")
    )
    with pytest.raises(BadInput, match="stream"):
        TASKS[model.task](call)


@pytest.mark.parametrize(
    ("model", "inputs"),
    [
        (RERANK, QUESTION),
        (SENTIMENT, {"text": "a"}),
        (TRANSLATE, {"text": "a", "target_lang": "fr"}),
        (SUMMARY, {"input_text": "a"}),
        (MELO, {"prompt": "a"}),
    ],
)
def test_an_answer_without_its_part_is_an_error(
    model: str, inputs: dict[str, object]
) -> None:
    with pytest.raises(AiError, match="gave no"):
        answer(prepared(model, inputs))


@pytest.mark.parametrize("model", [TRANSLATE, MELO, AURA])
def test_what_no_model_can_stand_in_for_names_the_command(
    tmp_path: Path, model: str
) -> None:
    with pytest.raises(NoSuchModel, match=f"selfedge ai add {model} --onnx DIR"):
        run(service(tmp_path, FakeHost()).run(model, {"text": "a"}, {}))


@pytest.mark.parametrize(
    ("model", "inputs", "parts", "words"),
    [
        (RERANK, QUESTION, [Vectors([[1.0]] * 4)], "cosines"),
        (SENTIMENT, {"text": "a"}, [Vectors([[1.0]] * 7)], "examples"),
        (SUMMARY, {"input_text": "a"}, [Text("b")], "asked for a summary"),
    ],
)
def test_a_stand_in_says_what_it_does(
    tmp_path: Path, model: str, inputs: object, parts: list[object], words: str
) -> None:
    notices: list[str] = []
    host = FakeHost(parts)
    found = run(service(tmp_path, host, notices).run(model, inputs, {}))
    assert found.served in notices[0]
    assert words in notices[0]
    with pytest.raises(NoSuchModel, match="strict models allow no stand-in"):
        run(service(tmp_path / "s", host, strict=True).run(model, inputs, {}))
