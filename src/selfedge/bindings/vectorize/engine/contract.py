"""The contract of a vector engine; all calls block and belong in a thread."""

import struct
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
Operator: TypeAlias = Literal["eq", "ne", "in", "nin", "lt", "lte", "gt", "gte"]


FieldType: TypeAlias = Literal["string", "number", "boolean"]


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
    fields: Mapping[str, str | float | bool] = field(
        default_factory=dict, compare=False
    )
    """What filters look at: field → value of the field's type."""
    length: float | None = field(default=None, compare=False)
    """The Euclidean length of `values`, if it was measured already."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What the field must be; all conditions of a search must hold.

    Operands are of the field's type; None is "has no value". `ne` and `nin` also
    match what has no value. Strings are ordered by their UTF-8 bytes.
    """

    field: str
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


def floats(values: Sequence[float]) -> "array[float]":
    """Return `values` as 32-bit floats, as they are if they are so already."""
    if isinstance(values, array):
        return values
    packed = struct.pack(f"{len(values)}f", *values)  # a third of an array's time
    return array("f", packed)


class EngineFailure(Exception):
    """The engine could not do it: damaged files, a full disk, a fault of its own.

    `passing` tells that the files are not at fault but what surrounds them: a lock
    that is still held, no room, no memory, too many open files.
    """

    def __init__(self, text: str, *, passing: bool = False) -> None:
        super().__init__(text)
        self.passing = passing


class EngineDied(EngineFailure):
    """The engine's process is gone; what was written is there when it is loaded.

    It is `passing` when somebody else ended it.
    """


@dataclass(frozen=True, slots=True)
class Page:
    """A part of all vectors, in an order that never changes."""

    vectors: Sequence[Vector]
    following: str | None  # where the next page begins; None: there is none


class Shard(Protocol):
    """One index. Writes come from one thread, reads from any.

    Each write has survived SIGKILL of this process once it has returned, and
    is seen by every read that starts after. All raise EngineFailure.
    """

    @property
    def alive(self) -> bool:
        """Whether calls can succeed; it does not come back to life."""

    def insert(self, vectors: Sequence[Vector]) -> None:
        """Add those whose ids are absent; ids in `vectors` differ."""

    def upsert(self, vectors: Sequence[Vector]) -> None:
        """Add or replace entirely; ids in `vectors` differ."""

    def delete(self, ids: Sequence[str]) -> None:
        """Remove; an absent id is no error."""

    def get(self, ids: Sequence[str]) -> Sequence[Vector]:
        """Return those that exist, with values, in the order of `ids`."""

    def search(self, searches: Sequence[Search]) -> Sequence[Sequence[Hit]]:
        """Return for each the nearest first, equals by the bytes of their ids."""

    def count(self) -> int:
        """Return how many vectors there are."""

    def unsorted(self) -> int:
        """Return how many vectors a search compares one by one."""

    def page(self, start: str | None, limit: int, *, whole: bool = False) -> Page:
        """Return the vectors from `start` on; bare ids unless `whole`."""

    def add_field(self, field: str, kind: FieldType) -> None:
        """Make `field` quick to filter on; one that is there is no error."""

    def drop_field(self, field: str) -> None:
        """Undo `add_field`."""

    def optimize(self) -> None:
        """Sort all vectors into a graph; may take minutes, and nearly all cores."""

    def close(self) -> None:
        """Release files and memory; no call may follow."""


class Engine(Protocol):
    """Makes and opens shards, each in a folder of its own."""

    def create(self, folder: Path, *, dimensions: int, metric: Metric) -> Shard:
        """Make an empty shard at `folder`, which does not exist."""

    def load(self, folder: Path, *, dimensions: int, metric: Metric) -> Shard:
        """Open the shard at `folder`, as it was left, however it was left."""

    def background(self) -> "Engine":
        """Return an engine whose shards give way to everybody else's work."""

    def close(self) -> None:
        """Release what its shards share; they are closed."""
