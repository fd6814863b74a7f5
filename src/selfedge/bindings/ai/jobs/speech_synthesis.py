"""Speech synthesis: a text in, an audio file out."""

from typing import Literal, TypeAlias

import msgspec

Encoding: TypeAlias = Literal[
    "alaw",
    "flac",
    "linear16",
    "mp3",
    "mulaw",
    "opus",
    "raw-alaw",
    "raw-linear16",
    "raw-mulaw",
]
"""PCM and its like go into WAV; `raw-` ones are bare samples."""


class SpeakText(msgspec.Struct, frozen=True, kw_only=True, tag="speak-text"):
    """Read a text aloud."""

    text: str
    language: str | None = None  # None: the voice's own
    encoding: Encoding
    sample_rate: int | None = None  # None: the voice's own


class Speech(msgspec.Struct, frozen=True, tag="speech"):
    """The only part: a whole file."""

    content: bytes
