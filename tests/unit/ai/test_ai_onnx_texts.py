"""Runners for the small text tasks, on networks with random weights."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ai_support import run

from harness import tiny_models
from selfedge.bindings.ai.errors import BadInput, InferenceFailed
from selfedge.bindings.ai.jobs.rewriting import RewriteText, Rewritten
from selfedge.bindings.ai.jobs.text_embeddings import EmbedTexts
from selfedge.bindings.ai.jobs.text_scores import Pair, Scores, ScoreTexts
from selfedge.bindings.ai.runners import onnx_classifier
from selfedge.bindings.ai.runners.contract import Runner, Source
from selfedge.bindings.ai.runners.onnx_seq2seq import runner as onnx_seq2seq
from selfedge.bindings.ai.runners.onnx_seq2seq.search import Rules, search


def only(load: Callable[[Source, int], Runner], folder: Path, job: object) -> object:
    """Return the only part of one job's answer."""

    async def work() -> object:
        runner = load(Source(location=str(folder)), 1)
        parts = [part async for part in runner.run(job)]
        await runner.close()
        (part,) = parts
        return part

    return run(work())


def scores(folder: Path, *pairs: Pair) -> Scores:
    return only(onnx_classifier.load, folder, ScoreTexts(list(pairs)))


def test_a_classifier_names_its_labels_and_scores_each_text_alone(
    tmp_path: Path,
) -> None:
    folder = tiny_models.classifier(tmp_path / "m", ["NEGATIVE", "POSITIVE"])
    alone = scores(folder, Pair("good"))
    assert alone.labels == ["NEGATIVE", "POSITIVE"]
    many = scores(folder, *(Pair("good " * n) for n in range(1, 40)))
    assert np.allclose(many.rows[0], alone.rows[0])
    assert len(many.rows) == 39


def test_a_cross_encoder_reads_both_texts(tmp_path: Path) -> None:
    folder = tiny_models.classifier(tmp_path / "m", ["LABEL_0"])
    found = scores(folder, Pair("hello", "good"), Pair("hello", "bad"), Pair("hello"))
    table = tiny_models.random(len(tiny_models.WORDS), 1)[:, 0]
    end = table[tiny_models.EOS]
    assert np.allclose(found.rows[0], [table[5] + end + table[7] + end], atol=1e-6)
    assert found.rows[0] != found.rows[1]
    assert np.allclose(found.rows[2], [table[5] + end], atol=1e-6)


def test_labels_that_are_not_named_get_numbers(tmp_path: Path) -> None:
    folder = tiny_models.classifier(tmp_path / "m", ["a", "b"])
    (folder / "config.json").unlink()
    assert scores(folder, Pair("good")).labels == ["LABEL_0", "LABEL_1"]


def test_labels_that_do_not_fit_the_network_are_an_error(tmp_path: Path) -> None:
    folder = tiny_models.classifier(tmp_path / "m", ["a", "b", "c"], width=2)
    with pytest.raises(InferenceFailed, match=r"2 scores; .* has 3 labels"):
        scores(folder, Pair("good"))


def written(folder: Path, **job: object) -> str:
    found = only(onnx_seq2seq.load, folder, RewriteText(max_tokens=12, **job))
    assert isinstance(found, Rewritten)
    return found.text


@pytest.mark.parametrize("beams", [1, 3])
def test_a_memory_changes_nothing_but_the_time(tmp_path: Path, beams: int) -> None:
    plain = tiny_models.seq2seq(tmp_path / "plain", remembers=False)
    remembering = tiny_models.seq2seq(tmp_path / "past", remembers=True)
    texts = ["hello world", "good bad", "bad bad hello"]
    found = [written(plain, text=text, beams=beams) for text in texts]
    assert found == [written(remembering, text=text, beams=beams) for text in texts]
    assert any(found)


def test_a_translation_begins_with_its_language(tmp_path: Path) -> None:
    folder = tiny_models.seq2seq(tmp_path / "m", remembers=True)
    job = {"text": "hello", "source_lang": "en"}
    runner = onnx_seq2seq.load(Source(location=str(folder)), 1)
    french = RewriteText(**job, target_lang="fr", max_tokens=5)
    assert runner._rules(french).first == tiny_models.FR
    assert runner._read(french) == [tiny_models.EN, 5, tiny_models.EOS]
    assert "__fr__" not in written(folder, **job, target_lang="fr")


@pytest.mark.parametrize(
    ("languages", "field"),
    [
        ({"source_lang": "en", "target_lang": "de"}, "target_lang: .* not know de"),
        ({"source_lang": "de", "target_lang": "fr"}, "source_lang: .* not know de"),
    ],
)
def test_a_language_that_the_model_does_not_know_is_the_callers_error(
    tmp_path: Path, languages: dict[str, str], field: str
) -> None:
    folder = tiny_models.seq2seq(tmp_path / "m", remembers=False)
    with pytest.raises(BadInput, match=field):
        written(folder, text="hello", **languages)


def test_a_long_text_is_cut_and_keeps_its_end(tmp_path: Path) -> None:
    folder = tiny_models.seq2seq(tmp_path / "m", remembers=False)
    runner = onnx_seq2seq.load(Source(location=str(folder)), 1)
    read = runner._read(RewriteText(text="hello " * 500, max_tokens=5))
    assert (len(read), read[-1]) == (64, tiny_models.EOS)


@pytest.mark.parametrize(
    ("load", "build"),
    [
        (onnx_classifier.load, lambda path: tiny_models.classifier(path, ["a"])),
        (
            onnx_seq2seq.load,
            lambda path: tiny_models.seq2seq(path, remembers=False),
        ),
    ],
    ids=["classifier", "seq2seq"],
)
def test_other_jobs_and_damaged_folders_are_refused(
    tmp_path: Path, load: Callable[[Source, int], Runner], build: Callable[[Path], Path]
) -> None:
    folder = build(tmp_path / "m")
    with pytest.raises(InferenceFailed, match="does not run EmbedTexts"):
        only(load, folder, EmbedTexts(texts=["a"], pooling="mean"))
    next(folder.glob("*.onnx")).write_bytes(b"no network")
    with pytest.raises(ValueError, match=r"\.onnx"):
        only(load, folder, None)


def table(rows: dict[tuple[int, ...], list[float]]) -> Callable:
    """Return a step whose probabilities stand in `rows`, by the text so far."""

    def step(texts: list[tuple[int, ...]], parents: list[int]) -> np.ndarray:
        assert len(texts) == len(parents)
        with np.errstate(divide="ignore"):
            return np.log(np.array([rows[text] for text in texts]))

    return step


# Tokens: 0 ends, 1 and 2 are words. The likelier first word leads to poorer texts.
GARDEN = table(
    {
        (0,): [0.0, 0.6, 0.4],
        (0, 1): [0.4, 0.3, 0.3],
        (0, 2): [0.9, 0.05, 0.05],
        (0, 1, 1): [1.0, 0.0, 0.0],
        (0, 1, 2): [1.0, 0.0, 0.0],
        (0, 2, 1): [1.0, 0.0, 0.0],
        (0, 2, 2): [1.0, 0.0, 0.0],
    }
)


def best(step: Callable, **rules: object) -> tuple[int, ...]:
    given = {"start": 0, "end": 0, "max_tokens": 3, **rules}
    return search(step, Rules(**given), lambda: False)


def test_one_beam_takes_the_likeliest_word_and_two_find_the_likeliest_text() -> None:
    assert best(GARDEN) == (1,)
    assert best(GARDEN, beams=2) == (2,)


def test_the_first_word_can_be_forced() -> None:
    assert best(GARDEN, first=2) == (2,)


def test_a_text_is_as_long_as_it_must_and_not_longer_than_it_may() -> None:
    assert best(GARDEN, min_tokens=3) == (1, 1)
    assert best(GARDEN, max_tokens=1) == (1,)


def test_no_run_of_words_stands_twice() -> None:
    def step(texts: list[tuple[int, ...]], _parents: list[int]) -> np.ndarray:
        return np.array([[0.0, 3.0, 2.0]] * len(texts))

    assert best(step, max_tokens=6) == (1,) * 6
    assert best(step, max_tokens=4, no_repeat=2) == (1, 1, 2, 1)


def test_who_has_gone_gets_no_more_words() -> None:
    rules = Rules(start=0, end=0, max_tokens=3, first=2)
    assert search(GARDEN, rules, lambda: True) == (2,)


def test_the_settings_of_generation_win(tmp_path: Path) -> None:
    folder = tiny_models.seq2seq(tmp_path / "m", remembers=False, num_beams=2)
    (folder / "generation_config.json").write_text(
        json.dumps({"num_beams": 4, "max_length": 9, "forced_bos_token_id": None})
    )
    runner = onnx_seq2seq.load(Source(location=str(folder)), 1)
    rules = runner._rules(RewriteText(text="hello", max_tokens=12))
    assert (rules.beams, rules.max_tokens, rules.first) == (4, 9, None)
