"""The SQLite file of all queues: one commit for what comes together.

Each change is a few rows and takes microseconds, so it runs on the event loop.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from selfedge.errors import StorageError

T = TypeVar("T")
Change = Callable[[sqlite3.Connection], Any]

FORMAT = 1
_BUSY_S = 1.0
_CACHE_KIB = 32 * 1024  # at most; what waits is mostly read soon after it was written
_LOG_PAGES = 8000  # of the write-ahead log, 32 MiB, before it goes into the file
_SCHEMA = """
CREATE TABLE IF NOT EXISTS queues (
    key INTEGER PRIMARY KEY, id TEXT UNIQUE, name TEXT UNIQUE, created_ms INTEGER,
    modified_ms INTEGER, delay_s INTEGER, retention_s INTEGER, paused INTEGER
);
CREATE TABLE IF NOT EXISTS consumers (
    id TEXT PRIMARY KEY, queue INTEGER UNIQUE, type TEXT, script TEXT,
    settings TEXT, created_ms INTEGER
);
CREATE TABLE IF NOT EXISTS messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, queue INTEGER NOT NULL, id TEXT NOT NULL,
    sent_ms INTEGER NOT NULL, stored_ms INTEGER NOT NULL, visible_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL, lease TEXT, type TEXT NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS due ON messages (queue, visible_ms, seq);
CREATE INDEX IF NOT EXISTS leased ON messages (lease) WHERE lease IS NOT NULL;
"""


@dataclass(slots=True)
class _Write:
    change: Change
    done: asyncio.Future[Any]
    result: Any = None


class Ledger:
    """Queues, consumers and messages in the file `path`.

    A change has survived SIGKILL of this process once its call has returned.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = _open(path)
        self._waiting: list[_Write] = []

    def read(self, sql: str, given: Sequence[object] = ()) -> list[Any]:
        """Return the rows of a query.

        Raises:
            StorageError: the file cannot be read.
        """
        try:
            return self._db.execute(sql, given).fetchall()
        except sqlite3.Error as error:
            raise _explained(error, self._path) from error

    async def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `change` returns, once it is committed with others.

        Raises:
            StorageError: the disk is full or failing; nothing was changed.
        """
        loop = asyncio.get_running_loop()
        write = _Write(change, loop.create_future())
        if not self._waiting:
            loop.call_soon(self._flush)
        self._waiting.append(write)
        result: T = await write.done
        return result

    def close(self) -> None:
        """Commit what waits, then fold the write-ahead log into the file."""
        self._flush()
        self._db.close()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        batch = [write for write in waiting if not write.done.done()]
        if not batch:
            return
        if self._commit(batch) is None:
            for write in batch:
                _settle(write, None)
            return
        with suppress(sqlite3.Error):  # on a full disk that may make room
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for write in batch:  # the fault of one is not the fault of all
            _settle(write, self._commit([write]))

    def _commit(self, batch: Sequence[_Write]) -> Exception | None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for write in batch:
                write.result = write.change(self._db)
            self._db.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - goes to the one who asked
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                return _explained(error, self._path)
            return error
        return None


def _settle(write: _Write, error: Exception | None) -> None:
    if write.done.done():  # its caller has gone
        return
    if error is None:
        write.done.set_result(write.result)
    else:
        write.done.set_exception(error)


def _open(path: Path) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_S)
    except sqlite3.Error as error:
        raise _explained(error, path) from error
    try:
        _check_format(db, path)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        db.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
        db.executescript(_SCHEMA)
        db.execute(f"PRAGMA user_version = {FORMAT}")
    except sqlite3.Error as error:
        db.close()
        raise _explained(error, path) from error
    except StorageError:
        db.close()
        raise
    return db


def _check_format(db: sqlite3.Connection, path: Path) -> None:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version not in {0, FORMAT}:
        raise StorageError(
            f"{path} was written by another version of selfedge (format {version}, "
            f"this one reads {FORMAT}). Run that version, or name another folder."
        )


def _explained(error: sqlite3.Error, path: Path) -> StorageError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
        return StorageError(
            f"The disk that holds {path.parent} is full or failing ({error}). Nothing "
            "was written; free some space there and try again."
        )
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StorageError(
            f"{path} is damaged ({error}). To begin anew without what it holds, stop "
            "selfedge and move the file away, with those whose names begin with its."
        )
    return StorageError(f"{path} cannot be used: {error}.")
