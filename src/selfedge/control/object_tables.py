"""The SQLite file of one Durable Object, read beside the engine that owns it.

A reader of a write-ahead log holds up no writer, and no lock is taken that the owner
would wait for. A file without such a log has no owner that writes: it is read as it
is, so that nothing is left beside it.
"""

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from selfedge.control.serialized import Unreadable, shown

ROWS_MAX = 100  # of a page
COLUMNS_MAX = 100  # Durable Objects have no more
CELL_MAX = 500  # characters or bytes that are shown
VALUE_MAX = 64 * 1024  # bytes of a pair that are decoded
TEXT_MAX = 2_000  # characters of it that are shown
TIME_MAX_S = 2.0  # of one look: what is stored may be a costly view
_PAIRS = "_cf_KV"
_INTERNAL = ("_cf_", "sqlite_")
_EXACT = 2**53  # a number in JSON is exact to here
_STEPS = 10_000  # of SQLite, between two looks at the clock
_LENGTH_MAX = 16 * 1024 * 1024  # bytes of a value on the way


class NotRead(Exception):
    """The file cannot be read now; the text says why."""


class NoTable(Exception):
    """There is no such table."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which rows."""

    skip: int
    size: int


def tables(file: Path) -> Mapping[str, Any]:
    """Return the tables and views of an object, and whether it has pairs.

    Raises:
        NotRead: its file cannot be read.
    """
    with _opened(file) as db:
        names = list(_names(db))
    listed = [
        {"name": name, "kind": "internal" if _is_internal(name) else kind}
        for name, kind in names
    ]
    return {"tables": listed, "has_pairs": (_PAIRS, "table") in names}


def rows(file: Path, table: str, part: Part) -> Mapping[str, Any]:
    """Return some rows of a table; long texts and blobs are cut.

    Raises:
        NoTable: there is none, or it is the engine's own.
        NotRead: the file cannot be read.
    """
    with _opened(file) as db:
        if _is_internal(table) or table not in dict(_names(db)):
            raise NoTable
        found = db.execute("SELECT name FROM pragma_table_info(?)", (table,))
        columns = [name for (name,) in found][:COLUMNS_MAX]
        cells = ", ".join(map(_cell_sql, columns))
        query = f"SELECT {cells} FROM {_quoted(table)} LIMIT ? OFFSET ?"  # noqa: S608 - quoted
        got = db.execute(query, (part.size + 1, part.skip)).fetchall()
    shown_rows = [_row(one) for one in got[: part.size]]
    return {"columns": columns, "rows": shown_rows, "more": len(got) > part.size}


def pairs(file: Path, part: Part) -> Mapping[str, Any]:
    """Return some key-value pairs; `text` is None where a value is not understood.

    Raises:
        NotRead: the file cannot be read.
    """
    with _opened(file) as db:
        if _PAIRS not in dict(_names(db)):
            return {"pairs": [], "more": False}
        query = (
            f"SELECT key, length(value), substr(value, 1, {VALUE_MAX + 1}) "  # noqa: S608 - a number
            f"FROM {_PAIRS} ORDER BY key LIMIT ? OFFSET ?"
        )
        got = db.execute(query, (part.size + 1, part.skip)).fetchall()
    found = [
        {"key": str(key)[:TEXT_MAX], "bytes": size, "text": _decoded(value)}
        for key, size, value in got[: part.size]
    ]
    return {"pairs": found, "more": len(got) > part.size}


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    log = file.with_name(f"{file.name}-wal")
    try:
        how = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
        uri = f"file:{quote(str(file.absolute()))}?{how}"
        with closing(sqlite3.connect(uri, uri=True, timeout=TIME_MAX_S)) as db:
            _bound(db)
            yield db
    except (sqlite3.Error, OSError) as error:
        raise NotRead(str(error)) from error


def _bound(db: sqlite3.Connection) -> None:
    """Bind what a schema that a Worker wrote can cost us."""
    ends = time.monotonic() + TIME_MAX_S
    db.text_factory = lambda raw: raw.decode(errors="replace")
    db.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LENGTH_MAX)
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute("PRAGMA query_only = ON")


def _names(db: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    query = (
        "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') "
        "ORDER BY name"
    )
    yield from db.execute(query)


def _is_internal(table: str) -> bool:
    return table.lower().startswith(_INTERNAL)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _cell_sql(column: str) -> str:
    name = _quoted(column)
    whole = f"typeof({name}) IN ('text', 'blob')"
    return (
        f"typeof({name}), length({name}), "
        f"CASE WHEN {whole} THEN substr({name}, 1, {CELL_MAX}) ELSE {name} END"
    )


def _row(cells: Sequence[Any]) -> Sequence[object]:
    return [_cell(*cells[at : at + 3]) for at in range(0, len(cells), 3)]


def _cell(kind: str, size: int | None, value: Any) -> object:
    """Return a value as JSON has it; what it has not, as an object that says so."""
    if kind == "blob":
        return {"blob": bytes(value).hex(), "bytes": size}
    if kind == "text" and (size or 0) > CELL_MAX:
        return {"text": value, "chars": size}
    if kind == "integer" and abs(value) > _EXACT:
        return str(value)
    if kind == "real" and value in (float("inf"), float("-inf")):
        return str(value)
    return value


def _decoded(value: object) -> str | None:
    if not isinstance(value, bytes) or len(value) > VALUE_MAX:
        return None
    try:
        text = shown(value)
    except Unreadable:
        return None
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]} …"
