"""The Whisper runner: sound, pictures of it, phrases, and (slow) the real model."""

import io
from threading import Event

import numpy as np
import pytest
import soundfile
from ai_support import run

from harness.sound import recording, tone
from selfedge.bindings.ai.errors import BadInput, InferenceFailed
from selfedge.bindings.ai.jobs.speech_recognition import TranscribeAudio, Transcript
from selfedge.bindings.ai.jobs.text_embeddings import EmbedTexts
from selfedge.bindings.ai.runners import sound as audio
from selfedge.bindings.ai.runners.whisper.features import filters, log_mel
from selfedge.bindings.ai.runners.whisper.runner import load
from selfedge.bindings.ai.runners.whisper.segments import phrases
from selfedge.bindings.ai.runners.whisper.words import pieces
from selfedge.bindings.ai.weights.install import install_one
from selfedge.bindings.ai.weights.table import WHISPER
from selfedge.settings import Settings, cache_dir

FIRST = 100  # of the timestamps, in the made-up tokens below


def encoded(samples: np.ndarray, rate: int, kind: str, subtype: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_every_rate_becomes_16_khz_and_keeps_the_pitch(rate: int) -> None:
    samples = audio.decode(tone(1.0, rate=rate))
    assert len(samples) == pytest.approx(16_000, abs=1)
    assert np.abs(np.fft.rfft(samples)).argmax() == pytest.approx(440, abs=1)


def test_what_16_khz_cannot_hold_is_filtered_out() -> None:
    samples = audio.decode(tone(1.0, rate=48_000, hertz=12_000))
    assert np.abs(samples[200:-200]).max() < 0.01


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("OGG", "OPUS"),
        ("MP3", "MPEG_LAYER_III"),
        ("AIFF", "PCM_16"),
    ],
)
def test_common_formats_are_decoded_and_channels_are_mixed(
    kind: str, subtype: str
) -> None:
    stereo = np.stack([np.full(48_000, 0.5), np.zeros(48_000)], axis=1)
    stereo *= np.sin(np.arange(48_000) / 20)[:, None]
    samples = audio.decode(encoded(stereo, 48_000, kind, subtype))
    assert len(samples) == pytest.approx(16_000, rel=0.1)
    assert np.abs(samples).max() == pytest.approx(0.25, abs=0.05)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00", b"RIFF", b"RIFF\x10\x00\x00\x00WAVEfmt ", b"<html>", b"\xff" * 999],
)
def test_what_is_no_sound_is_the_callers_error(data: bytes) -> None:
    with pytest.raises(BadInput, match="damaged or no audio"):
        audio.decode(data)


def test_a_file_without_samples_is_the_callers_error() -> None:
    with pytest.raises(BadInput, match="holds no sound"):
        audio.decode(tone(0))


def test_more_channels_or_a_higher_rate_than_any_recording_are_refused() -> None:
    many = encoded(np.zeros((100, 9)), 8000, "WAV", "PCM_16")
    with pytest.raises(BadInput, match="9 channels at 8000 Hz; expected at most 8"):
        audio.decode(many)
    with pytest.raises(BadInput, match="at 300000 Hz"):
        audio.decode(encoded(np.zeros(100), 300_000, "WAV", "PCM_16"))


def test_sound_longer_than_a_block_keeps_its_length() -> None:
    assert len(audio.decode(tone(61.5, rate=44_100))) == 61.5 * 16_000


def test_a_small_file_cannot_hold_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "DURATION_MAX_S", 3600)
    silence = encoded(np.zeros(8000 * 3700), 8000, "FLAC", "PCM_16")
    assert len(silence) < 1_000_000
    with pytest.raises(BadInput, match="longer than 1 hours"):
        audio.decode(silence)


def test_a_tone_is_bright_where_its_pitch_is() -> None:
    picture = log_mel(audio.decode(tone(30, hertz=1000)), 80)
    assert picture.shape == (80, 3000)
    band = filters(80)[:, 25].argmax()  # 25 * 40 Hz
    assert picture[:, 1000].argmax() == band


def test_phrases_stand_between_timestamps() -> None:
    found, reached = phrases(
        [FIRST, 1, 2, FIRST + 50, FIRST + 60, 3, FIRST + 90], *STEP
    )
    assert [(p.tokens, p.start, p.end) for p in found] == [
        ((1, 2), 0.0, 1.0),
        ((3,), 1.2, 1.8),
    ]
    assert reached == 30.0


STEP = (FIRST, 0.02, 30.0)


def test_a_phrase_that_is_cut_off_is_left_to_the_next_piece() -> None:
    found, reached = phrases([FIRST, 1, FIRST + 50, FIRST + 50, 2], *STEP)
    assert [p.tokens for p in found] == [(1,)]
    assert reached == 1.0


def test_the_only_phrase_is_taken_though_it_is_cut_off() -> None:
    found, reached = phrases([FIRST, 1, 2], *STEP)
    assert [(p.tokens, p.end) for p in found] == [((1, 2), 30.0)]
    assert reached == 30.0


def test_a_piece_without_text_is_passed_over() -> None:
    assert phrases([FIRST, FIRST], *STEP) == ([], 30.0)
    assert phrases([], *STEP) == ([], 30.0)


def test_words_take_their_marks_and_characters_are_not_torn() -> None:
    table = {1: " Hi", 2: "!", 3: " caf", 4: "\ufffd", 5: " now"}

    def decode(tokens: list[int]) -> str:
        text = "".join(table[token] for token in tokens)
        return "\u00e9" if tokens == [4, 4] else text

    found = pieces([1, 2, 3, 4, 4, 5], decode, spaced=True)
    assert [piece.text for piece in found] == [" Hi!", " caf\u00e9", " now"]
    assert [len(piece.tokens) for piece in found] == [2, 3, 1]


def hear(name: str, **job: object) -> Transcript:
    settings = Settings(cache_dir=cache_dir())
    source = install_one(WHISPER, settings, lambda _line: None, Event())

    async def work() -> Transcript:
        runner = load(source, 1)
        data = recording(name).read_bytes()
        parts = runner.run(TranscribeAudio(audio=data, beam_size=1, **job))
        found = [part async for part in parts]
        await runner.close()
        return found[0]

    return run(work())


@pytest.mark.slow
def test_speech_is_written_down_with_the_times_of_its_words() -> None:
    heard = hear("short.wav")
    words = [word for segment in heard.segments for word in segment.words]
    text = " ".join(word.text for word in words).lower()
    assert "ever tried" in text
    assert text.endswith("fail again. fail better.")
    assert heard.duration == pytest.approx(9.96, abs=0.01)
    starts = [word.start for word in words]
    assert starts == sorted(starts)
    assert all(0 <= word.start <= word.end <= heard.duration for word in words)


@pytest.mark.slow
def test_speech_longer_than_a_piece_is_heard_to_its_end() -> None:
    heard = hear("long.wav")
    text = "".join(segment.text for segment in heard.segments)
    assert text.startswith(" It was the best of times")
    assert text.endswith("comparison only.")
    assert [segment.start for segment in heard.segments] == sorted(
        segment.start for segment in heard.segments
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("job", "text"),
    [({"language": "fr"}, "does not know fr"), ({"task": "translate"}, "cannot")],
)
def test_what_the_model_cannot_do_is_the_callers_error(
    job: dict[str, str], text: str
) -> None:
    with pytest.raises(BadInput, match=text):
        hear("short.wav", **job)


@pytest.mark.slow
def test_another_job_is_refused() -> None:
    source = install_one(
        WHISPER, Settings(cache_dir=cache_dir()), lambda _line: None, Event()
    )

    async def work() -> None:
        async for _ in load(source, 1).run(EmbedTexts(texts=["a"], pooling="mean")):
            pass

    with pytest.raises(InferenceFailed, match="does not run EmbedTexts"):
        run(work())
