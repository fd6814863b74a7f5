"""Speech recognition: an audio file in, its words with their times out."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

SpeechTask: TypeAlias = Literal["transcribe", "translate"]


class TranscribeAudio(msgspec.Struct, frozen=True, kw_only=True, tag="transcribe"):
    """Write down what is said; thresholds are those of Whisper's decoding."""

    audio: bytes  # a file of any format that can be decoded
    language: str | None = None  # None: find out
    task: SpeechTask = "transcribe"
    beam_size: int = 5
    initial_prompt: str = ""
    prefix: str = ""
    follow_context: bool = True  # what was said before helps with what comes
    no_speech_max: float = 0.6
    compression_ratio_max: float = 2.4
    logprob_min: float = -1.0


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """A word and its place, in seconds."""

    text: str
    start: float
    end: float
    probability: float


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A phrase and its place, in seconds."""

    text: str
    start: float
    end: float
    temperature: float
    logprob: float  # of a token, on average
    compression_ratio: float
    no_speech: float  # probability that nobody speaks
    words: Sequence[Word]


class Transcript(msgspec.Struct, frozen=True, kw_only=True, tag="transcript"):
    """The only part."""

    language: str
    language_probability: float
    duration: float  # seconds
    segments: Sequence[Segment]
