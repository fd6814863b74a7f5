"""Inputs and answers of speech recognition; no model."""

import base64
from dataclasses import replace

import pytest
from ai_support import FakeHost, asked, run

from selfedge.bindings.ai.catalogue import load
from selfedge.bindings.ai.errors import AiError, BadInput
from selfedge.bindings.ai.jobs.speech_recognition import Segment, Transcript, Word
from selfedge.bindings.ai.tasks.contract import Asked, File
from selfedge.bindings.ai.tasks.speech_recognition import prepare
from selfedge.bindings.ai.weights.table import WHISPER

PLAIN = load().get("@cf/openai/whisper")
TURBO = load().get("@cf/openai/whisper-large-v3-turbo")
NOVA = load().get("@cf/deepgram/nova-3")
MANY = replace(WHISPER, name="whisper-small", languages=())


def word(text: str, start: float) -> Word:
    return Word(text=text, start=start, end=start + 0.5, probability=0.9)


def segment(text: str, start: float, end: float) -> Segment:
    return Segment(
        text=text,
        start=start,
        end=end,
        temperature=0.0,
        logprob=-0.2,
        compression_ratio=1.1,
        no_speech=0.01,
        words=[word(part, start) for part in text.split()],
    )


HEARD = Transcript(
    language="en",
    language_probability=1.0,
    duration=3725.5,
    segments=[segment(" Hello there.", 0, 1.5), segment(" Bye.", 3725, 3725.5)],
)


def answer(model: object, **inputs: object) -> dict:
    prepared = prepare(asked({"audio": [1], **inputs}, model, WHISPER))
    return run(prepared.collect(FakeHost([HEARD]).run(None)))


def test_whisper_answers_text_words_and_subtitles() -> None:
    found = answer(PLAIN)
    assert found["text"] == "Hello there. Bye."
    assert found["word_count"] == 3
    assert found["words"][0] == {"word": "Hello", "start": 0, "end": 0.5}
    assert found["vtt"] == (
        "WEBVTT\n\n00:00.000 --> 00:01.500\nHello there.\n\n"
        "01:02:05.000 --> 01:02:05.500\nBye.\n"
    )


def test_turbo_answers_segments_and_what_it_found_out() -> None:
    found = answer(TURBO)
    assert found["transcription_info"]["language"] == "en"
    assert found["transcription_info"]["duration"] == 3725.5
    assert [one["text"] for one in found["segments"]] == [" Hello there.", " Bye."]
    assert found["segments"][0]["words"][1]["word"] == "there."
    assert found["segments"][0]["avg_logprob"] == -0.2
    assert found["word_count"] == 3


def test_nova_answers_channels() -> None:
    best = answer(NOVA)["results"]["channels"][0]["alternatives"][0]
    assert best["transcript"] == "Hello there. Bye."
    assert best["words"][0]["confidence"] == 0.9


@pytest.mark.parametrize(
    "audio",
    [
        [82, 73, 70],
        {"0": 82, "1": 73, "2": 70},
        base64.b64encode(b"RIF").decode(),
        "data:audio/wav;base64," + base64.b64encode(b"RIF").decode(),
    ],
    ids=["array", "Uint8Array", "base64", "data URL"],
)
def test_sound_is_taken_in_every_form(audio: object) -> None:
    assert prepare(asked({"audio": audio}, TURBO, WHISPER)).job.audio == b"RIF"


def test_sound_is_taken_as_a_stream() -> None:
    call = Asked(
        model=PLAIN,
        weights=WHISPER,
        inputs={},
        file=File(b"RIFF", "audio/wav"),
    )
    assert prepare(call).job.audio == b"RIFF"


def test_all_settings_reach_the_model() -> None:
    inputs = {
        "audio": [1],
        "language": "de-AT",
        "task": "translate",
        "beam_size": 2,
        "initial_prompt": "Names: Ada.",
        "prefix": "So",
        "condition_on_previous_text": False,
        "no_speech_threshold": 0.5,
        "compression_ratio_threshold": 2,
        "log_prob_threshold": -2,
    }
    job = prepare(asked(inputs, TURBO, MANY)).job
    assert (job.language, job.task, job.beam_size) == ("de", "translate", 2)
    assert (job.initial_prompt, job.prefix) == ("Names: Ada.", "So")
    assert not job.follow_context
    assert (job.no_speech_max, job.compression_ratio_max) == (0.5, 2.0)
    assert job.logprob_min == -2


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ({}, "'audio'"),
        ({"audio": []}, "audio: is empty"),
        ({"audio": {}}, "audio: is empty"),
        ({"audio": [256]}, "audio: give bytes"),
        ({"audio": ["a"]}, "audio: give bytes"),
        ({"audio": "abc"}, "audio: give bytes"),
        ({"audio": 7}, "'audio'"),
        ({"audio": [1], "language": "English"}, "language: "),
        ({"audio": [1], "language": "fr"}, "language: fr .* knows en only.* --ct2 DIR"),
        ({"audio": [1], "task": "translate"}, "task: translate .* knows en only"),
        ({"audio": [1], "task": "sing"}, "task: invalid enum value 'sing'"),
        ({"audio": [1], "beam_size": 11}, "beam_size: expected int <= 10"),
        ({"audio": [1], "beam_size": 0}, "beam_size: expected int >= 1"),
        ({"audio": [1], "prefix": "x" * 2001}, "prefix: expected str of length <="),
        ({"audio": [1], "vad_filter": 1}, "vad_filter: expected bool"),
    ],
)
def test_bad_inputs_name_the_field_and_the_limit(
    inputs: dict[str, object], text: str
) -> None:
    with pytest.raises(BadInput, match=text):
        prepare(asked(inputs, TURBO, WHISPER))


def test_an_answer_without_a_transcript_is_an_error() -> None:
    prepared = prepare(asked({"audio": [1]}, PLAIN, WHISPER))
    with pytest.raises(AiError, match="no transcript"):
        run(prepared.collect(FakeHost([]).run(None)))
