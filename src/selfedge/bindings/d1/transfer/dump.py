"""A database as SQL statements, as D1 exports it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import apsw

from selfedge.bindings.d1.errors import TransferFailed

_OBJECTS = """SELECT name, sql FROM sqlite_schema WHERE sql NOT NULL AND type = 'table'
    ORDER BY tbl_name = 'sqlite_sequence', rowid"""
_REST = """SELECT tbl_name, sql FROM sqlite_schema WHERE sql NOT NULL
    AND type IN ('index', 'trigger', 'view') ORDER BY type, rowid"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What of a database is exported."""

    schema: bool = True
    data: bool = True
    tables: Sequence[str] = ()  # none: all


def dump(db: apsw.Connection, options: Options) -> Iterator[str]:
    """Yield statements that make the database anew.

    Raises:
        TransferFailed: there is a virtual table, which D1 does not export.
    """
    yield "PRAGMA defer_foreign_keys=TRUE;"
    only = frozenset(options.tables)
    for name, sql in list(db.execute(_OBJECTS)):
        if only and name not in only:
            continue
        kind = _kind(name, sql)
        if options.schema and kind:
            yield kind
        if options.data:
            yield from _rows(db, name)
    if options.schema:
        for table, sql in list(db.execute(_REST)):
            if not only or table in only:
                yield f"{sql};"


def _kind(name: str, sql: str) -> str:
    """Return the statement that makes a table."""
    if name == "sqlite_sequence":
        return "DELETE FROM sqlite_sequence;"
    if name.startswith("sqlite_stat"):
        return "ANALYZE sqlite_schema;"
    if sql.upper().startswith("CREATE VIRTUAL TABLE"):
        raise TransferFailed(
            "D1 Export error: cannot export databases with Virtual Tables (fts5)"
        )
    if sql[13:14] in ("'", '"'):
        return f"CREATE TABLE IF NOT EXISTS {sql[13:]};"
    return f"{sql};"


def _rows(db: apsw.Connection, table: str) -> Iterator[str]:
    found = db.execute("SELECT name FROM pragma_table_info(?)", (table,))
    names = ",".join(_identifier(str(name)) for (name,) in found)
    head = f"INSERT INTO {_identifier(table)} ({names}) VALUES("
    for row in db.execute(f"SELECT {names} FROM {_identifier(table)}"):  # noqa: S608
        yield head + ",".join(map(_literal, row)) + ");"


def _identifier(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def _literal(value: object) -> str:
    match value:
        case None:
            return "NULL"
        case float():
            if math.isfinite(value):
                return repr(value)
            return "9e999" if value > 0 else "-9e999"
        case int():
            return str(value)
        case bytes():
            return f"X'{value.hex()}'"
        case _:
            return _text(str(value))


def _text(value: str) -> str:
    if "\0" in value:  # which ends SQL text
        return f"CAST(X'{value.encode().hex()}' AS TEXT)"
    quoted = "'" + value.replace("'", "''") + "'"
    for character, letter in (("\r", "r"), ("\n", "n")):
        if character in quoted:  # a line stays a line: `exec` takes one at a time
            mark = _unused(quoted, letter)
            escaped = quoted.replace(character, mark)
            quoted = f"replace({escaped},'{mark}',char({ord(character)}))"
    return quoted


def _unused(text: str, letter: str) -> str:
    marks = (f"\\{letter}" if not n else f"(\\{letter}{n})" for n in count())
    return next(mark for mark in marks if mark not in text)
