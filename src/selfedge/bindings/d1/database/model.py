"""What goes into a database and what comes out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = int | float | str | bytes | None


@dataclass(frozen=True, slots=True)
class Query:
    """SQL of one or more statements; the parameters are those of the last."""

    sql: str
    parameters: Sequence[Value] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one query did."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]
    duration_ms: float
    changes: int
    last_row_id: int
    changed_db: bool
    size_after: int
    rows_read: int
    rows_written: int
