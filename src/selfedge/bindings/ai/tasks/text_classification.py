"""Text classification: a text → how negative and how positive it is."""

import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from selfedge.bindings.ai import limits
from selfedge.bindings.ai.errors import InferenceFailed
from selfedge.bindings.ai.jobs import Job
from selfedge.bindings.ai.jobs.text_embeddings import EmbedTexts, Vectors
from selfedge.bindings.ai.jobs.text_scores import Pair, Scores, ScoreTexts
from selfedge.bindings.ai.tasks.contract import Asked, Parts, Prepared
from selfedge.bindings.ai.tasks.inputs import check, no_file

NEGATIVE = (
    "This is terrible, I hate it.",
    "What a bad and disappointing experience.",
    "I am unhappy and angry about this.",
)
POSITIVE = (
    "This is wonderful, I love it.",
    "What a good and delightful experience.",
    "I am happy and pleased about this.",
)
"""What an encoder that stands in compares a text with."""

STEEPNESS = 20.0
"""Turns the difference of two cosines into a probability."""


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """The documented inputs; others are ignored."""

    text: Annotated[str, Meta(min_length=1, max_length=limits.TEXT_MAX_CHARS)]


@dataclass(frozen=True, slots=True)
class TextClassification:
    """A checked call."""

    job: Job
    streams: bool = False

    async def collect(self, parts: Parts) -> object:
        """Return `[{label, score}]`; the scores add up to one."""
        found: Mapping[str, float] = {}
        async with aclosing(parts):
            async for part in parts:
                if isinstance(part, Vectors):
                    found = _nearest(part.vectors)
                elif isinstance(part, Scores) and part.rows:
                    chances = _softmax(part.rows[0])
                    found = dict(zip(part.labels, chances, strict=True))
        if not found:
            raise InferenceFailed("The model gave no scores.")
        return [{"label": label, "score": score} for label, score in found.items()]

    async def events(self, parts: Parts) -> AsyncGenerator[object, None]:
        """Yield the whole answer as one event."""
        yield await self.collect(parts)


def prepare(asked: Asked) -> Prepared:
    """Check the inputs of one call.

    Raises:
        BadInput: they are wrong.
    """
    no_file(asked)
    text = check(asked.inputs, Inputs).text
    if asked.weights.runner == "text-embeddings":  # an encoder stands in
        texts = [text, *NEGATIVE, *POSITIVE]
        return TextClassification(EmbedTexts(texts=texts, pooling="mean"))
    return TextClassification(ScoreTexts([Pair(text)]))


def _nearest(vectors: Sequence[Sequence[float]]) -> Mapping[str, float]:
    """Compare a text with examples; the vectors have length one."""
    text, *examples = vectors
    cosines = [sum(a * b for a, b in zip(text, one, strict=True)) for one in examples]
    negative = sum(cosines[: len(NEGATIVE)]) / len(NEGATIVE)
    positive = sum(cosines[len(NEGATIVE) :]) / len(POSITIVE)
    chances = _softmax([0.0, STEEPNESS * (positive - negative)])
    return dict(zip(("NEGATIVE", "POSITIVE"), chances, strict=True))


def _softmax(logits: Sequence[float]) -> Sequence[float]:
    highest = max(logits)
    powers = [math.exp(logit - highest) for logit in logits]
    return [power / sum(powers) for power in powers]
