"""Speech recognition: an audio file → text, words, segments and subtitles."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from selfedge.bindings.ai import limits
from selfedge.bindings.ai.errors import BadInput, InferenceFailed
from selfedge.bindings.ai.jobs.speech_recognition import (
    Segment,
    SpeechTask,
    TranscribeAudio,
    Transcript,
    Word,
)
from selfedge.bindings.ai.tasks.contract import Asked, Parts, Prepared
from selfedge.bindings.ai.tasks.inputs import binary, check

Language: TypeAlias = Annotated[
    str, Meta(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})?$")
]
BeamSize: TypeAlias = Annotated[int, Meta(ge=1, le=limits.BEAM_SIZE_MAX)]
Hint: TypeAlias = Annotated[str, Meta(max_length=limits.SPEECH_HINT_MAX_CHARS)]


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """The documented inputs besides the sound; others are ignored."""

    language: Language | None = None
    source_lang: Language | None = None
    task: SpeechTask = "transcribe"
    beam_size: BeamSize = limits.BEAM_SIZE_DEFAULT
    vad_filter: bool = False
    initial_prompt: Hint = ""
    prefix: Hint = ""
    condition_on_previous_text: bool = True
    no_speech_threshold: float = 0.6
    compression_ratio_threshold: float = 2.4
    log_prob_threshold: float = -1.0
    hallucination_silence_threshold: float | None = None


@dataclass(frozen=True, slots=True)
class SpeechRecognition:
    """A checked call."""

    job: TranscribeAudio
    model_id: str
    streams: bool = False

    async def collect(self, parts: Parts) -> object:
        """Return the answer in the shape of the model that was asked for."""
        async with aclosing(parts):
            found = [part async for part in parts if isinstance(part, Transcript)]
        if not found:
            raise InferenceFailed("The model gave no transcript.")
        if "/deepgram/" in self.model_id:
            return _nova(found[0])
        if "turbo" in self.model_id:
            return _turbo(found[0])
        return _plain(found[0])

    async def events(self, parts: Parts) -> AsyncGenerator[object, None]:
        """Yield the whole answer as one event."""
        yield await self.collect(parts)


def prepare(asked: Asked) -> Prepared:
    """Check the inputs of one call.

    Raises:
        BadInput: they are wrong, or ask what the model cannot do.
    """
    audio = binary(asked, "audio")
    given = check(asked.inputs or {}, Inputs)
    language = (given.language or given.source_lang or "").lower()
    language = language.replace("_", "-").partition("-")[0]
    _known(asked, language, given.task)
    job = TranscribeAudio(
        audio=audio,
        language=language or None,
        task=given.task,
        beam_size=given.beam_size,
        initial_prompt=given.initial_prompt,
        prefix=given.prefix,
        follow_context=given.condition_on_previous_text,
        no_speech_max=given.no_speech_threshold,
        compression_ratio_max=given.compression_ratio_threshold,
        logprob_min=given.log_prob_threshold,
    )
    return SpeechRecognition(job, asked.model.id)


def _known(asked: Asked, language: str, task: SpeechTask) -> None:
    """Refuse what these weights cannot do: a wrong text would look like a right one."""
    languages = asked.weights.languages
    if not languages:
        return
    spoken = " and ".join(languages)
    remedy = (
        f"{asked.weights.name}, which serves {asked.model.id}, knows {spoken} only; "
        f"give it a multilingual model: selfedge ai add {asked.model.id} --ct2 DIR"
    )
    if task == "translate":
        raise BadInput(f"task: translate is not available: {remedy}")
    if language and language not in languages:
        raise BadInput(f"language: {language} is not available: {remedy}")


def _plain(found: Transcript) -> Mapping[str, object]:
    text = _text(found.segments)
    return {
        "text": text,
        "word_count": len(text.split()),
        "vtt": _vtt(found.segments),
        "words": [_word(word) for segment in found.segments for word in segment.words],
    }


def _turbo(found: Transcript) -> Mapping[str, object]:
    text = _text(found.segments)
    return {
        "transcription_info": {
            "language": found.language,
            "language_probability": found.language_probability,
            "duration": found.duration,
            "duration_after_vad": found.duration,
        },
        "text": text,
        "word_count": len(text.split()),
        "segments": [
            {
                "start": segment.start,
                "end": segment.end,
                "text": segment.text,
                "temperature": segment.temperature,
                "avg_logprob": segment.logprob,
                "compression_ratio": segment.compression_ratio,
                "no_speech_prob": segment.no_speech,
                "words": [_word(word) for word in segment.words],
            }
            for segment in found.segments
        ],
        "vtt": _vtt(found.segments),
    }


def _nova(found: Transcript) -> Mapping[str, object]:
    words = [word for segment in found.segments for word in segment.words]
    sure = sum(word.probability for word in words) / len(words) if words else 0.0
    best = {
        "transcript": _text(found.segments),
        "confidence": sure,
        "words": [{**_word(word), "confidence": word.probability} for word in words],
    }
    return {"results": {"channels": [{"alternatives": [best]}]}}


def _word(word: Word) -> dict[str, Any]:
    return {"word": word.text, "start": word.start, "end": word.end}


def _text(segments: Sequence[Segment]) -> str:
    return "".join(segment.text for segment in segments).strip()


def _vtt(segments: Sequence[Segment]) -> str:
    cues = [
        f"{_clock(segment.start)} --> {_clock(segment.end)}\n{segment.text.strip()}\n"
        for segment in segments
    ]
    return "WEBVTT\n\n" + "\n".join(cues)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    clock = f"{minutes:02}:{rest / 1000:06.3f}"
    return f"{hours:02}:{clock}" if hours else clock
