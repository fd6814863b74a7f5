"""Rerank: a question and texts → how well each text answers it."""

import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from selfedge.bindings.ai import limits
from selfedge.bindings.ai.errors import InferenceFailed
from selfedge.bindings.ai.jobs import Job
from selfedge.bindings.ai.jobs.text_embeddings import EmbedTexts, Vectors
from selfedge.bindings.ai.jobs.text_scores import Pair, Scores, ScoreTexts
from selfedge.bindings.ai.tasks.contract import Asked, Parts, Prepared
from selfedge.bindings.ai.tasks.inputs import check, no_file

OneText: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=limits.TEXT_MAX_CHARS)
]


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """One text."""

    text: OneText


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """The documented inputs; others are ignored."""

    query: OneText
    contexts: Annotated[
        Sequence[Context],
        Meta(min_length=1, max_length=limits.RERANK_CONTEXTS_MAX),
    ]
    top_k: Annotated[int, Meta(ge=1)] | None = None


@dataclass(frozen=True, slots=True)
class Rerank:
    """A checked call."""

    job: Job
    top_k: int | None
    streams: bool = False

    async def collect(self, parts: Parts) -> object:
        """Return `{response: [{id, score}]}`, the best first."""
        scores: Sequence[float] = ()
        async with aclosing(parts):
            async for part in parts:
                if isinstance(part, Vectors):
                    scores = _cosines(part.vectors)
                elif isinstance(part, Scores):
                    scores = [_probability(row[-1]) for row in part.rows]
        if not scores:
            raise InferenceFailed("The model gave no scores.")
        # Equal scores keep the order in which the texts were given.
        best = sorted(enumerate(scores), key=lambda found: -found[1])[: self.top_k]
        return {"response": [{"id": place, "score": score} for place, score in best]}

    async def events(self, parts: Parts) -> AsyncGenerator[object, None]:
        """Yield the whole answer as one event."""
        yield await self.collect(parts)


def prepare(asked: Asked) -> Prepared:
    """Check the inputs of one call.

    Raises:
        BadInput: they are wrong.
    """
    no_file(asked)
    given = check(asked.inputs, Inputs)
    texts = [context.text for context in given.contexts]
    if asked.weights.runner == "text-embeddings":  # an encoder stands in
        job: Job = EmbedTexts(texts=[given.query, *texts], pooling="mean")
    else:
        job = ScoreTexts([Pair(given.query, text) for text in texts])
    return Rerank(job, given.top_k)


def _cosines(vectors: Sequence[Sequence[float]]) -> Sequence[float]:
    """Compare the first with each other one; the vectors have length one."""
    query, *texts = vectors
    found = [sum(a * b for a, b in zip(query, text, strict=True)) for text in texts]
    return [min(max(cosine, 0.0), 1.0) for cosine in found]


def _probability(logit: float) -> float:
    return 1 / (1 + math.exp(-max(min(logit, 700.0), -700.0)))
