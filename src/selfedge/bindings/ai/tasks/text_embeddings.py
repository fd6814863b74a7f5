"""Text embeddings: one text or many → one vector each.

`bge-m3` also compares: a query and contexts → how near each context is.
"""

import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from selfedge.bindings.ai import limits
from selfedge.bindings.ai.errors import BadInput, InferenceFailed
from selfedge.bindings.ai.jobs.text_embeddings import EmbedTexts, Pooling, Vectors
from selfedge.bindings.ai.tasks.contract import Asked, Counted, Parts, Prepared
from selfedge.bindings.ai.tasks.inputs import check, no_file

OneText: TypeAlias = Annotated[str, Meta(min_length=1)]
Texts: TypeAlias = Annotated[
    Sequence[OneText], Meta(max_length=limits.EMBEDDING_TEXTS_MAX)
]
Shape: TypeAlias = Literal["texts", "contexts", "query"]

_COMPARES = "/bge-m3"


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """One text to compare."""

    text: OneText


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """The documented inputs; others are ignored."""

    text: OneText | Texts | UnsetType = UNSET
    pooling: Pooling = "mean"
    truncate_inputs: bool = False
    query: OneText | None = None
    contexts: (
        Annotated[
            Sequence[Context],
            Meta(min_length=1, max_length=limits.EMBEDDING_TEXTS_MAX),
        ]
        | None
    ) = None
    requests: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEmbeddings:
    """A checked call; the vectors get the width of the model that was asked for."""

    job: EmbedTexts
    pooling: Pooling  # that the Worker asked for
    dimensions: int
    shape: Shape = "texts"
    streams: bool = False

    async def collect(self, parts: Parts) -> Counted:
        """Return the vectors, or (`query`) how near each context is."""
        async with aclosing(parts):
            found = [part async for part in parts if isinstance(part, Vectors)]
        if not found:
            raise InferenceFailed("The encoder gave no vectors.")
        return Counted(self._shaped(found[0].vectors), found[0].tokens)

    def _shaped(self, vectors: Sequence[Sequence[float]]) -> object:
        if self.shape == "query":
            query, *contexts = vectors
            scores = [_cosine(query, context) for context in contexts]
            return {"response": [{"id": n, "score": s} for n, s in enumerate(scores)]}
        width = self.dimensions or len(vectors[0]) if vectors else self.dimensions
        data = [_padded(vector, width) for vector in vectors]
        name = "response" if self.shape == "contexts" else "data"
        return {"shape": [len(data), width], name: data, "pooling": self.pooling}

    async def events(self, parts: Parts) -> AsyncGenerator[object, None]:
        """Yield the whole answer as one event."""
        yield (await self.collect(parts)).value


def prepare(asked: Asked) -> Prepared:
    """Check the inputs of one call.

    Raises:
        BadInput: they are wrong.
    """
    no_file(asked)
    model, weights = asked.model, asked.weights
    given = check(asked.inputs, Inputs)
    texts, shape = _wanted(given, compares=model.id.endswith(_COMPARES))
    # Another model than the one asked for keeps to the pooling it was trained for,
    # and to its own length of texts.
    stands_in = model.weights is not weights
    pooling = (weights.pooling if stands_in else None) or given.pooling
    refuses = model.id.endswith(_COMPARES) and not stands_in
    job = EmbedTexts(
        texts=texts, pooling=pooling, truncate=given.truncate_inputs or not refuses
    )
    return TextEmbeddings(
        job=job,
        pooling=given.pooling,
        dimensions=model.dimensions or weights.dimensions or 0,
        shape=shape,
    )


def _wanted(given: Inputs, *, compares: bool) -> tuple[Sequence[str], Shape]:
    if given.requests is not None:
        raise BadInput("requests: belong to the batch API; set queueRequest: true")
    for name in ("query", "contexts"):
        if getattr(given, name) is not None and not compares:
            raise BadInput(f"{name}: only bge-m3 compares; this model takes text")
    if given.contexts is not None:
        contexts = [context.text for context in given.contexts]
        return (
            ([given.query, *contexts], "query")
            if given.query
            else (
                contexts,
                "contexts",
            )
        )
    if given.query is not None:
        raise BadInput("contexts: is required beside query")
    if given.text is UNSET:
        raise BadInput("required properties at '/' are 'text'")
    return ([given.text] if isinstance(given.text, str) else given.text), "texts"


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the cosine of two unit vectors."""
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


def _padded(vector: Sequence[float], dimensions: int) -> Sequence[float]:
    """Zeros at the end leave lengths, cosines and dot products as they are."""
    return [*vector, *([0.0] * (dimensions - len(vector)))]
