"""The contract of a vector engine; all calls block and belong in a thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
Operator: TypeAlias = Literal["eq", "ne", "in", "nin", "lt", "lte", "gt", "gte"]


class Metric(Enum):
    """How near two vectors are, in Cloudflare's names."""

    COSINE = "cosine"  # -1 to 1, higher is nearer
    EUCLIDEAN = "euclidean"  # a distance: 0 is equal, lower is nearer
    DOT_PRODUCT = "dot-product"  # the negative product: lower is nearer


@dataclass(frozen=True, slots=True)
class Vector:
    """One vector; `metadata` is the text of a JSON object."""

    id: str
    values: Sequence[float]
    namespace: str | None = None
    metadata: bytes | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """What the metadata at `path` must be; all conditions of a search must hold."""

    path: tuple[str, ...]
    operator: Operator
    operands: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The `limit` nearest to `values`, among those that fit."""

    values: Sequence[float]
    limit: int
    namespace: str | None = None
    conditions: Sequence[Condition] = ()
    exact: bool = False
    with_values: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A vector that was found; its values are empty unless asked for."""

    vector: Vector
    score: float


class EngineFailure(Exception):
    """The engine could not do it: damaged files, a full disk, a fault of its own."""


class Shard(Protocol):
    """One index. Writes come from one thread, reads from any.

    Each write has survived SIGKILL of this process once it has returned, and
    is seen by every read that starts after. All raise EngineFailure.
    """

    def insert(self, vectors: Sequence[Vector]) -> None:
        """Add those whose ids are absent; ids in `vectors` differ."""

    def upsert(self, vectors: Sequence[Vector]) -> None:
        """Add or replace entirely; ids in `vectors` differ."""

    def delete(self, ids: Sequence[str]) -> None:
        """Remove; an absent id is no error."""

    def get(self, ids: Sequence[str]) -> Sequence[Vector]:
        """Return those that exist, with values, in the order of `ids`."""

    def search(self, search: Search) -> Sequence[Hit]:
        """Return the nearest first, equals by the bytes of their ids."""

    def count(self) -> int:
        """Return how many vectors there are."""

    def close(self) -> None:
        """Release files and memory; no call may follow."""


class Engine(Protocol):
    """Makes and opens shards, each in a folder of its own."""

    def create(self, folder: Path, *, dimensions: int, metric: Metric) -> Shard:
        """Make an empty shard at `folder`, which does not exist."""

    def load(self, folder: Path, *, dimensions: int, metric: Metric) -> Shard:
        """Open the shard at `folder`, as it was left, however it was left."""
