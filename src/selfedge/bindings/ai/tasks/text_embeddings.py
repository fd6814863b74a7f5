"""Text embeddings: one text or many → one vector each."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from selfedge.bindings.ai import limits
from selfedge.bindings.ai.errors import BadInput, InferenceFailed
from selfedge.bindings.ai.jobs.text_embeddings import EmbedTexts, Pooling, Vectors
from selfedge.bindings.ai.tasks.contract import Asked, Parts, Prepared
from selfedge.bindings.ai.tasks.inputs import check, no_file

OneText: TypeAlias = Annotated[str, Meta(min_length=1)]
Texts: TypeAlias = Annotated[
    Sequence[OneText], Meta(max_length=limits.EMBEDDING_TEXTS_MAX)
]


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """The documented inputs; others are ignored."""

    text: OneText | Texts | UnsetType = UNSET
    pooling: Pooling = "mean"
    query: Any = None
    contexts: Any = None
    requests: Any = None


@dataclass(frozen=True, slots=True)
class TextEmbeddings:
    """A checked call; the vectors get the width of the model that was asked for."""

    job: EmbedTexts
    pooling: Pooling  # that the Worker asked for
    dimensions: int
    streams: bool = False

    async def collect(self, parts: Parts) -> object:
        """Return `{shape, data, pooling}`."""
        async with aclosing(parts):
            found = [part async for part in parts if isinstance(part, Vectors)]
        if not found:
            raise InferenceFailed("The encoder gave no vectors.")
        data = [_padded(vector, self.dimensions) for vector in found[0].vectors]
        shape = [len(data), self.dimensions]
        return {"shape": shape, "data": data, "pooling": self.pooling}

    async def events(self, parts: Parts) -> AsyncGenerator[object, None]:
        """Yield the whole answer as one event."""
        yield await self.collect(parts)


def prepare(asked: Asked) -> Prepared:
    """Check the inputs of one call.

    Raises:
        BadInput: they are wrong.
    """
    no_file(asked)
    model, weights = asked.model, asked.weights
    given = check(asked.inputs, Inputs)
    if given.text is UNSET:
        for name in ("query", "contexts", "requests"):
            if getattr(given, name) is not None:
                raise BadInput(f"{name}: not supported by this version; give text")
        raise BadInput("required properties at '/' are 'text'")
    texts = [given.text] if isinstance(given.text, str) else given.text
    # Another model than the one asked for keeps to the pooling it was trained for.
    native = None if model.weights is weights else weights.pooling
    pooling = native or given.pooling
    width = model.dimensions or weights.dimensions or 0
    return TextEmbeddings(
        EmbedTexts(texts=texts, pooling=pooling), given.pooling, width
    )


def _padded(vector: Sequence[float], dimensions: int) -> Sequence[float]:
    """Zeros at the end leave lengths, cosines and dot products as they are."""
    return [*vector, *([0.0] * (dimensions - len(vector)))]
