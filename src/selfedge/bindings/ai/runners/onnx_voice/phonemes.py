"""A text → sentences, written in the phonemes of a voice."""

import importlib
import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from selfedge.bindings.ai.runners.onnx_voice.voice import Voice

Phonemise: TypeAlias = Callable[[str], Sequence[str]]

_BREAK = re.compile(r"(?<=[.!?\u3002\uff01\uff1f])\s+|\n{2,}")
_PAUSES = frozenset({"|", "\u2016"})
_REGIONS = {"en": "en-us", "de": "de-de", "fr": "fr-fr", "es": "es-es", "it": "it-it"}


def phonemiser(voice: Voice) -> Phonemise:
    """Return what turns a text into the voice's phonemes.

    Raises:
        ValueError: the voice reads IPA, and gruut is not installed.
    """
    if voice.phoneme_type == "text":
        return sentences
    try:
        gruut = importlib.import_module("gruut")
    except ImportError as error:
        raise ValueError(
            "this voice reads phonemes, which gruut writes: pip install gruut"
            + ("" if voice.language == "en" else f"[{voice.language}]")
        ) from error
    language = _REGIONS.get(voice.language, voice.language)

    def phonemise(text: str) -> Sequence[str]:
        found = []
        for sentence in gruut.sentences(text, lang=language):
            words = ["".join(word.phonemes) for word in sentence if word.phonemes]
            found.append(" ".join(word for word in words if word not in _PAUSES) + ".")
        return found

    return phonemise


def sentences(text: str) -> Sequence[str]:
    """Return the sentences of `text` as they are, in lower case."""
    return [part.strip().lower() for part in _BREAK.split(text) if part.strip()]
