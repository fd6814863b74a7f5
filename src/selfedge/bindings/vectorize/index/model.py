"""What an index is asked, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeAlias

import msgspec

from selfedge.bindings.vectorize.engine.contract import (
    FieldType,
    Metric,
    Operator,
    Scalar,
    Vector,
)
from selfedge.bindings.vectorize.limits import TOP_K_DEFAULT

Operation: TypeAlias = Literal["insert", "upsert", "delete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """A write, whole; `vectors` or `ids` is empty."""

    id: str
    operation: Operation
    vectors: Sequence[Vector] = ()
    ids: Sequence[str] = ()


class MetadataIndex(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A property of the metadata that filters can look at."""

    property_name: str  # dots lead into objects
    index_type: FieldType
    field: str  # its name in the engine, never used for another


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the metadata's property at `path` must be; all of a query must hold."""

    path: str
    operator: Operator
    operands: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What an index is from its creation on."""

    dimensions: int
    metric: Metric
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """An index in a list of indexes."""

    name: str
    config: Config
    created: str  # RFC 3339
    modified: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of the ids of an index."""

    ids: Sequence[str]
    total: int
    following: str | None  # the cursor of the next page


class Returned(Enum):
    """How much metadata a query returns."""

    NONE = "none"
    INDEXED = "indexed"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A search for what is near to `values`, or to the vector `vector_id`."""

    values: Sequence[float] | None = None
    vector_id: str | None = None
    top_k: int = TOP_K_DEFAULT
    namespace: str | None = None
    conditions: Sequence[Wanted] = ()
    return_values: bool = False
    return_metadata: Returned = Returned.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """An index described; an index that does not exist yet is all zeros."""

    vectors: int = 0
    dimensions: int = 0
    processed_at: str | None = None  # RFC 3339
    processed: str | None = None  # the newest mutation that queries see
