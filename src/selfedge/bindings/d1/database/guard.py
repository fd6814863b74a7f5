"""What SQL may do: SQLite asks before each action of a statement that it prepares."""

from collections.abc import Sequence
from typing import NamedTuple

import apsw

_ALLOW, _DENY = apsw.SQLITE_OK, apsw.SQLITE_DENY
_SETTINGS = {  # pragmas that stay set on a connection, and what they are by default
    "case_sensitive_like": "0",
    "ignore_check_constraints": "0",
    "legacy_alter_table": "0",
    "recursive_triggers": "0",
    "reverse_unordered_selects": "0",
}
_PRAGMAS = {
    *_SETTINGS,
    "data_version",
    "defer_foreign_keys",
    "foreign_key_check",
    "foreign_key_list",
    "foreign_keys",
    "index_info",
    "index_list",
    "index_xinfo",
    "optimize",
    "page_size",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
}
_READ_ONLY_PRAGMAS = {"data_version", "page_size"}
_MODULES = {"fts5", "fts5vocab", "rtree", "rtree_i32"}
_FUNCTIONS = {"load_extension", "fts3_tokenizer"}
_TABLES = {"sqlite_dbpage", "sqlite_stmt", "dbstat", "bytecode", "tables_used"}
_TRANSACTIONS = {apsw.SQLITE_TRANSACTION, apsw.SQLITE_SAVEPOINT}
_DENIED = {
    apsw.SQLITE_ATTACH,
    apsw.SQLITE_DETACH,
    apsw.SQLITE_CREATE_TEMP_INDEX,
    apsw.SQLITE_CREATE_TEMP_TABLE,
    apsw.SQLITE_CREATE_TEMP_TRIGGER,
    apsw.SQLITE_CREATE_TEMP_VIEW,
    *_TRANSACTIONS,
}
_ROWS = {apsw.SQLITE_INSERT, apsw.SQLITE_UPDATE, apsw.SQLITE_DELETE}
_HARMLESS = {apsw.SQLITE_READ, apsw.SQLITE_UPDATE}  # ALTER TABLE looks there, too
_SCHEMA = {"sqlite_master", "sqlite_schema"}


class Target(NamedTuple):
    """A write that a statement means to do."""

    action: int
    table: str
    column: str | None
    trigger: str | None  # which of them does it; None: the statement itself


class Guard:
    """Answers for one connection, and notes what the last statement meant to do."""

    def __init__(self) -> None:
        self.open = False  # our own statements may do anything
        self.transaction = False  # the last refusal was of BEGIN, COMMIT, …
        self.touched: set[str] = set()  # settings to put back
        self.targets: list[Target] = []

    def begin(self) -> None:
        """Forget the last statement."""
        self.transaction = False
        self.targets = []

    def restores(self) -> Sequence[str]:
        """Return statements that put the touched settings back."""
        touched, self.touched = self.touched, set()
        return [f"PRAGMA {name} = {_SETTINGS[name]}" for name in sorted(touched)]

    def __call__(
        self,
        action: int,
        first: str | None,
        second: str | None,
        schema: str | None,
        trigger: str | None,
    ) -> int:
        """Allow or deny one action."""
        if self.open:
            return _ALLOW
        if schema == "temp" and action not in _HARMLESS:
            return _DENY
        if action in _ROWS:
            self.targets.append(Target(action, first or "", second, trigger))
            return _ALLOW
        if action in _DENIED:
            self.transaction = self.transaction or action in _TRANSACTIONS
            return _DENY
        if action == apsw.SQLITE_PRAGMA:
            return self._pragma((first or "").lower(), second)
        return _DENY if _unsafe(action, first, second) else _ALLOW

    def _pragma(self, name: str, value: str | None) -> int:
        if name not in _PRAGMAS or (name in _READ_ONLY_PRAGMAS and value is not None):
            return _DENY
        if name in _SETTINGS:
            self.touched.add(name)
        return _ALLOW


def is_schema(table: str) -> bool:
    """Whether `table` is the one that describes all others."""
    return table.lower() in _SCHEMA


def _unsafe(action: int, first: str | None, second: str | None) -> bool:
    if action == apsw.SQLITE_FUNCTION:
        return (second or "").lower() in _FUNCTIONS
    if action == apsw.SQLITE_READ:
        return (first or "").lower() in _TABLES
    if action == apsw.SQLITE_CREATE_VTABLE:
        return (second or "").lower() not in _MODULES
    return False
