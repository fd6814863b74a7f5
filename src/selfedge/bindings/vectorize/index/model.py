"""What an index is asked, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeAlias

from selfedge.bindings.vectorize.engine.contract import Condition, Vector
from selfedge.bindings.vectorize.limits import TOP_K_DEFAULT

Operation: TypeAlias = Literal["insert", "upsert", "delete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """A write, whole; `vectors` or `ids` is empty."""

    id: str
    operation: Operation
    vectors: Sequence[Vector] = ()
    ids: Sequence[str] = ()


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
    conditions: Sequence[Condition] = ()
    return_values: bool = False
    return_metadata: Returned = Returned.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """An index described; an index that does not exist yet is all zeros."""

    vectors: int = 0
    dimensions: int = 0
    processed_at: str | None = None  # RFC 3339
    processed: str | None = None  # the newest mutation that queries see
