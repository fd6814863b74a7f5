"""Text embeddings: texts in, one vector for each out."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

Pooling: TypeAlias = Literal["mean", "cls"]


class EmbedTexts(msgspec.Struct, frozen=True, kw_only=True, tag="embed-texts"):
    """Turn each text into a unit vector."""

    texts: Sequence[str]
    pooling: Pooling
    truncate: bool = True  # cut texts that are too long, or refuse them


class Vectors(msgspec.Struct, frozen=True, tag="vectors"):
    """The only part of embedded texts, in their order."""

    vectors: Sequence[Sequence[float]]
    tokens: int = 0  # of all texts, after they were cut
