"""One SQLite connection, used by one thread: runs queries and counts what they do."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import apsw

from selfedge.bindings.d1 import limits
from selfedge.bindings.d1.database import faults
from selfedge.bindings.d1.database.guard import Guard
from selfedge.bindings.d1.database.model import Query, Result, Value
from selfedge.bindings.d1.database.plans import PLANS_MAX, READS, Plan, plan
from selfedge.bindings.d1.errors import D1Error, NoStatements, ResultTooLarge, SqlFailed
from selfedge.bindings.d1.sql.statements import split

PAGE_BYTES = 4096
_BUSY_MS = 10_000
_CHUNK_ROWS = 64
_SIZE = "PRAGMA page_count /* of ours: kept, so no user writes it alike by chance */"
_INDEXES = """SELECT i.name, c.name FROM pragma_index_list(?) AS i
    JOIN pragma_index_info(i.name) AS c"""
_LIMITS = {
    apsw.SQLITE_LIMIT_LENGTH: limits.VALUE_MAX_BYTES,
    apsw.SQLITE_LIMIT_SQL_LENGTH: limits.STATEMENT_MAX_BYTES,
    apsw.SQLITE_LIMIT_COLUMN: limits.COLUMNS_MAX,
    apsw.SQLITE_LIMIT_VARIABLE_NUMBER: limits.PARAMETERS_MAX,
    apsw.SQLITE_LIMIT_FUNCTION_ARG: limits.FUNCTION_ARGUMENTS_MAX,
    apsw.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: limits.LIKE_PATTERN_MAX_BYTES,
    apsw.SQLITE_LIMIT_EXPR_DEPTH: limits.EXPRESSION_DEPTH_MAX,
    apsw.SQLITE_LIMIT_COMPOUND_SELECT: limits.COMPOUND_SELECT_MAX,
    apsw.SQLITE_LIMIT_TRIGGER_DEPTH: limits.TRIGGER_DEPTH_MAX,
    apsw.SQLITE_LIMIT_ATTACHED: 0,
}


class Connection:
    """Opens `path`; one that is not `writable` refuses to change anything.

    Raises:
        SqlFailed: the file is damaged, or the disk is full.
    """

    def __init__(self, path: Path, *, writable: bool, most_bytes: int) -> None:
        self.path = path
        self.writable = writable
        self.stopped: Callable[[], D1Error | None] = lambda: None
        self.newest: Callable[[], tuple[int, int]] | None = None
        """A reader's way to ask the writer for row id and size."""
        self._size_bytes = 0  # when it was last measured
        self._most_pages = max(1, most_bytes // PAGE_BYTES)
        self._guard = Guard()
        self._plans: dict[str, Plan] = {}  # both are of the schema as it is
        self._tables: dict[str, Sequence[frozenset[str]]] = {}
        self._scanned = 0  # both are of the statement that runs
        self._columns: Sequence[str] = ()
        with self._explained():
            self._db = _opened(path, writable=writable)
            self._prepare()
            self.measure()

    def run(self, queries: Sequence[Query]) -> list[Result]:
        """Run all `queries` as one transaction.

        Raises:
            D1Error: one failed; nothing was changed.
        """
        if not self.writable and len(queries) == 1:
            return [self.one(queries[0])]  # a read is a transaction of its own
        with self.transaction():
            results = [self.one(query) for query in queries]
            if not self.writable:
                return results
            size = self.measure()
        return [replace(one, size_after=size) for one in results]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what happens in the context, or nothing of it."""
        self._own("BEGIN IMMEDIATE" if self.writable else "BEGIN")
        try:
            yield
            self._own("COMMIT")
        except BaseException:
            with suppress(apsw.Error, D1Error):
                if self._db.in_transaction:
                    self._own("ROLLBACK")
            self.forget_plans()  # the schema may be another one again
            raise
        finally:
            for statement in self._guard.restores():
                self._own(statement)

    def one(self, query: Query) -> Result:
        """Run one query, inside a transaction."""
        statements = split(query.sql)
        if not statements:
            raise NoStatements
        for statement in statements[:-1]:
            self.statement(statement)
        return self.statement(statements[-1], query.parameters)

    @contextmanager
    def unlimited(self, statement_bytes: int) -> Iterator[None]:
        """Take statements of another length while the context is open."""
        key = apsw.SQLITE_LIMIT_SQL_LENGTH
        before = self._db.limit(key, statement_bytes)
        value = self._db.limit(apsw.SQLITE_LIMIT_LENGTH, statement_bytes)
        try:
            yield
        finally:
            self._db.limit(key, before)
            self._db.limit(apsw.SQLITE_LIMIT_LENGTH, value)

    @property
    def raw(self) -> apsw.Connection:
        """SQLite's own connection, for copies."""
        return self._db

    def now(self) -> tuple[int, int]:
        """Return the row id of the newest insert, and the size last measured."""
        return int(self._db.last_insert_rowid()), self._size_bytes

    def measure(self) -> int:
        """Return how large the database is, in bytes."""
        guard = self._guard
        guard.open = True
        try:
            pages = int(next(self._db.execute(_SIZE))[0])
        finally:
            guard.open = False
        self._size_bytes = pages * PAGE_BYTES
        return self._size_bytes

    def forget_plans(self) -> None:
        """Do so when the schema has become another one."""
        self._plans.clear()
        self._tables.clear()

    def interrupt(self) -> None:
        """Stop the statement that runs, from another thread."""
        self._db.interrupt()

    def close(self) -> None:
        """Fold the log into the file, and close it."""
        with suppress(apsw.Error):
            self._db.close()

    def statement(self, sql: str, parameters: Sequence[Value] = ()) -> Result:
        """Run one statement, inside a transaction."""
        if stopped := self.stopped():
            raise stopped
        db = self._db
        before, row_before = db.total_changes(), db.last_insert_rowid()
        start = perf_counter()
        self._guard.begin()
        self._columns = ()
        try:
            rows = _fetched(db.execute(sql, parameters))
        except (ValueError, apsw.Error) as error:
            raise self._answer(error) from error
        duration_ms = (perf_counter() - start) * 1000
        known = self._planned(sql)
        total = db.total_changes() - before
        direct = min(total, db.changes()) if total else 0
        row_id, size = self.newest() if self.newest else self.now()
        return Result(
            columns=self._columns,
            rows=rows,
            duration_ms=duration_ms,
            changes=total,
            last_row_id=row_id,
            changed_db=self.writable
            and bool(total or known.schema or row_id != row_before),
            size_after=size,
            rows_read=known.read(self._scanned, len(rows), direct),
            rows_written=known.written(direct, total),
        )

    def _planned(self, sql: str) -> Plan:
        """Return the plan of a statement that was just run.

        SQLite asks the guard only when it prepares; later runs find the plan here.
        """
        if targets := self._guard.targets:
            made = plan(targets, self._indexes)
            if made.schema or len(self._plans) >= PLANS_MAX:
                self.forget_plans()
            self._plans[sql] = made
            return made
        return self._plans.get(sql, READS)

    def _indexes(self, table: str) -> Sequence[frozenset[str]]:
        """Return the columns of each index of a table."""
        if (known := self._tables.get(table)) is not None:
            return known
        found: dict[str, set[str]] = {}
        for index, column in self._own(_INDEXES, (table,)):
            found.setdefault(str(index), set()).add(str(column))
        self._tables[table] = [frozenset(columns) for columns in found.values()]
        return self._tables[table]

    def _own(self, sql: str, parameters: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """Run a statement of ours; it is not kept, or users could run it, too."""
        self._guard.open = True
        try:
            with self._explained():
                return list(self._db.execute(sql, parameters, can_cache=False))
        finally:
            self._guard.open = False

    def _prepare(self) -> None:
        db = self._db
        db.set_busy_timeout(_BUSY_MS)
        for statement in _SETUP if self.writable else _SETUP[:1]:
            list(db.execute(statement, can_cache=False))
        list(db.execute(f"PRAGMA max_page_count = {self._most_pages}", can_cache=False))
        for key, value in _LIMITS.items():
            db.limit(key, value)
        db.authorizer = self._guard
        db.exec_trace = self._described
        db.trace_v2(apsw.SQLITE_TRACE_PROFILE, self._profiled)

    def _described(self, cursor: apsw.Cursor, _sql: str, _parameters: object) -> bool:
        """Note the columns: once there are no more rows, SQLite's wrapper forgets."""
        if not self._guard.open:
            self._columns = [str(one[0]) for one in cursor.get_description()]
        return True

    def _profiled(self, event: dict[str, Any]) -> None:
        if not self._guard.open:
            self._scanned = event["stmt_status"]["SQLITE_STMTSTATUS_FULLSCAN_STEP"]

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except apsw.Error as error:
            raise self._answer(error) from error

    def _answer(self, error: apsw.Error | ValueError) -> D1Error:
        if isinstance(error, ValueError):
            return faults.explain_text(error)
        if stopped := self.stopped():
            return stopped
        if isinstance(error, apsw.AuthError) and self._guard.transaction:
            return SqlFailed(faults.TRANSACTION_WORDS)
        if isinstance(error, apsw.FullError) and self._outgrown():
            return SqlFailed(faults.SIZE_WORDS)
        if isinstance(error, apsw.ReadOnlyError) and not self.writable:
            return WritesOnReader(str(error))
        return faults.explain(error, self.path.parent)

    def _outgrown(self) -> bool:
        """Whether the database's own limit is nearer than the end of its disk."""
        room = self._most_pages * PAGE_BYTES - self.path.stat().st_size
        return room < shutil.disk_usage(self.path.parent).free


class WritesOnReader(SqlFailed):
    """The statement writes, though it did not look so: the writer must run it."""


_SETUP = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
)


def _opened(path: Path, *, writable: bool) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READONLY
    if writable:
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    return apsw.Connection(str(path), flags=flags)


def _fetched(cursor: apsw.Cursor) -> list[Any]:
    rows = list(islice(cursor, _CHUNK_ROWS))
    if len(rows) < _CHUNK_ROWS:
        return rows
    size = _size_bytes(rows)
    while chunk := list(islice(cursor, _CHUNK_ROWS)):
        rows += chunk
        size += _size_bytes(chunk)
        if size > limits.RESULT_MAX_BYTES:
            cursor.close(True)  # noqa: FBT003 - apsw's own: give up what is left
            raise ResultTooLarge
    return rows


def _size_bytes(rows: Sequence[Any]) -> int:
    return sum(len(v) if isinstance(v, str | bytes) else 8 for row in rows for v in row)
