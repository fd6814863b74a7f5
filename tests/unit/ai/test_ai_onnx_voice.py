"""Voices in Piper's format, on a network with made-up letters."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from ai_support import run

from harness import tiny_models
from selfedge.bindings.ai.errors import BadInput, InferenceFailed
from selfedge.bindings.ai.jobs.speech_synthesis import SpeakText
from selfedge.bindings.ai.jobs.text_embeddings import EmbedTexts
from selfedge.bindings.ai.runners.contract import Source
from selfedge.bindings.ai.runners.onnx_voice import phonemes
from selfedge.bindings.ai.runners.onnx_voice.runner import load
from selfedge.bindings.ai.runners.onnx_voice.voice import read


def spoken(folder: Path, text: str, encoding: str, **job: object) -> bytes:
    async def work() -> bytes:
        runner = load(Source(location=str(folder)), 1)
        asked = SpeakText(text=text, encoding=encoding, **job)
        (part,) = [part async for part in runner.run(asked)]
        await runner.close()
        return part.content

    return run(work())


def test_each_letter_is_heard_and_sentences_have_a_pause_between(
    tmp_path: Path,
) -> None:
    folder = tiny_models.voice(tmp_path / "v")
    sound, rate = soundfile.read(io.BytesIO(spoken(folder, "Ab. C.", "linear16")))
    letters = sum(2 * len(part) + 3 for part in ("ab.", "c."))
    assert rate == 16_000
    assert len(sound) == letters * 256 + 2 * 3200
    assert np.abs(sound[:1000]).max() > 0.1
    assert not np.abs(sound[-3200:]).any()


@pytest.mark.parametrize(
    ("encoding", "kind"),
    [
        ("mp3", "MP3"),
        ("flac", "FLAC"),
        ("opus", "OGG"),
        ("linear16", "WAV"),
        ("mulaw", "WAV"),
        ("alaw", "WAV"),
    ],
)
def test_each_encoding_is_a_file_of_its_kind(
    tmp_path: Path, encoding: str, kind: str
) -> None:
    folder = tiny_models.voice(tmp_path / "v", audio={"sample_rate": 22_050})
    found = soundfile.info(io.BytesIO(spoken(folder, "hello there", encoding)))
    assert found.format == kind
    assert found.samplerate == (24_000 if encoding == "opus" else 22_050)


def test_raw_samples_and_another_rate(tmp_path: Path) -> None:
    folder = tiny_models.voice(tmp_path / "v")
    one = spoken(folder, "hello", "raw-linear16")
    half = spoken(folder, "hello", "raw-linear16", sample_rate=8_000)
    assert len(half) == len(one) // 2
    assert len(spoken(folder, "hello", "raw-mulaw")) == len(one) // 2


def test_phonemes_are_parted_and_unknown_ones_left_out(tmp_path: Path) -> None:
    _, voice = read(tiny_models.voice(tmp_path / "v"))
    ids = voice.phoneme_id_map
    assert voice.ids("a\u0361b") == [
        *(ids["^"] + ids["_"] + ids["a"] + ids["_"]),
        *(ids["b"] + ids["_"] + ids["$"]),
    ]


def test_another_language_is_the_callers_error(tmp_path: Path) -> None:
    folder = tiny_models.voice(tmp_path / "v")
    with pytest.raises(BadInput, match="lang: the installed voice speaks en, not fr"):
        spoken(folder, "bonjour", "mp3", language="fr")


def test_nothing_to_say_is_the_callers_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing in it"):
        spoken(tiny_models.voice(tmp_path / "v"), "\n\n", "mp3")


def test_a_voice_of_phonemes_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_name: str) -> None:
        raise ImportError

    monkeypatch.setattr(phonemes.importlib, "import_module", missing)
    folder = tiny_models.voice(tmp_path / "v", phoneme_type="espeak")
    with pytest.raises(ValueError, match="pip install gruut"):
        load(Source(location=str(folder)), 1)


def test_a_folder_without_one_voice_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="0 voices found; expected one NAME"):
        load(Source(location=str(tmp_path)), 1)


def test_another_job_is_refused(tmp_path: Path) -> None:
    async def work() -> None:
        runner = load(Source(location=str(tiny_models.voice(tmp_path / "v"))), 1)
        async for _ in runner.run(EmbedTexts(texts=["a"], pooling="mean")):
            pass

    with pytest.raises(InferenceFailed, match="does not run EmbedTexts"):
        run(work())
