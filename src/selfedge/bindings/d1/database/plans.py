"""How many rows a statement reads and writes: SQLite does not count, so we reckon."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import apsw

from selfedge.bindings.d1.database.guard import Target, is_schema

Indexes = Callable[[str], Sequence[frozenset[str]]]
"""table → the columns of each of its indexes."""
PLANS_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a statement means to write."""

    per_row: int = 0  # rows and index entries written for each row of the table
    per_other: int = 1  # and for each row that triggers and cascades change
    schema: bool = False  # it changes the schema
    inserts: bool = False

    def written(self, direct: int, total: int) -> int:
        """Return rows written, of which `direct` in the statement's own table."""
        if self.schema:
            return max(1, total)
        return direct * self.per_row + max(0, total - direct) * self.per_other

    def read(self, scanned: int, returned: int, direct: int) -> int:
        """Return rows read; `scanned` are steps of full scans."""
        found = 0 if self.inserts else direct
        return max(scanned + 1 if scanned else 0, returned, found)


READS = Plan()


def plan(targets: Sequence[Target], indexes: Indexes) -> Plan:
    """Return the plan of a statement from the actions that it asked leave for."""
    if not targets:
        return READS
    if any(is_schema(one.table) for one in targets):
        return Plan(schema=True)
    own = [one for one in targets if one.trigger is None]
    others = [one for one in targets if one.trigger is not None]
    first = own[0] if own else targets[0]
    return Plan(
        per_row=_cost(first, own, indexes),
        per_other=max((_cost(one, others, indexes) for one in others), default=1),
        inserts=first.action == apsw.SQLITE_INSERT,
    )


def _cost(one: Target, targets: Sequence[Target], indexes: Indexes) -> int:
    if one.action == apsw.SQLITE_DELETE:
        return 1
    if one.action == apsw.SQLITE_INSERT:
        return 1 + len(indexes(one.table))
    changed = {t.column for t in targets if t.table == one.table and t.column}
    return 1 + sum(1 for columns in indexes(one.table) if columns & changed)
