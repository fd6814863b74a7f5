"""Records on SQLite: reads at once, and one commit for writes that come together.

A point read takes 5 µs, less than a hop to a thread, so it runs on the event loop.
"""

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from selfedge.errors import StorageError
from selfedge.storage.embedded.faults import explain

if TYPE_CHECKING:
    from selfedge.storage.contract import Records

_FORMAT = 1
_BUSY_S = 1.0
_GET = "SELECT v FROM records WHERE k = ?"
_SCAN = "SELECT k, v FROM records WHERE k >= ? AND k < ? ORDER BY k LIMIT ?"
_PUT = "INSERT OR REPLACE INTO records VALUES (?, ?)"
_DELETE = "DELETE FROM records WHERE k = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Write:
    """One call of `write` that waits for the commit."""

    puts: Sequence[tuple[bytes, bytes]]
    deletes: Sequence[tuple[bytes]]
    done: asyncio.Future[None]

    def settle(self, error: StorageError | None) -> None:
        if self.done.done():  # its caller has gone
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


class SqliteRecords:
    """An ordered map in the SQLite file `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = _open(path)
        self._waiting: list[_Write] = []

    async def get(self, key: bytes) -> bytes | None:
        """Return the value under `key`, or None.

        Raises:
            StorageError: the file cannot be read.
        """
        try:
            row = self._db.execute(_GET, (key,)).fetchone()
        except sqlite3.Error as error:
            raise explain(error, self._path) from error
        return None if row is None else row[0]

    async def write(
        self, puts: Iterable[tuple[bytes, bytes]] = (), deletes: Iterable[bytes] = ()
    ) -> None:
        """Apply all puts, then all deletes, as one transaction.

        Raises:
            StorageError: the disk is full or failing; nothing was written.
        """
        loop = asyncio.get_running_loop()
        write = _Write(
            puts=tuple(puts),
            deletes=[(key,) for key in deletes],
            done=loop.create_future(),
        )
        if not self._waiting:
            loop.call_soon(self._flush)
        self._waiting.append(write)
        await write.done

    async def scan(
        self, start: bytes, end: bytes, limit: int
    ) -> Sequence[tuple[bytes, bytes]]:
        """Return at most `limit` pairs with `start` <= key < `end`, ascending.

        Raises:
            StorageError: the file cannot be read.
        """
        try:
            pairs = self._db.execute(_SCAN, (start, end, limit)).fetchall()
        except sqlite3.Error as error:
            raise explain(error, self._path) from error
        await asyncio.sleep(0)  # a long walk lets others run between its scans
        return pairs

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
                write.settle(None)
            return
        self._fold_log()  # on a full disk that may make room
        for write in batch:  # the fault of one is not the fault of all
            write.settle(self._commit([write]))

    def _fold_log(self) -> None:
        with suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _commit(self, batch: Sequence[_Write]) -> StorageError | None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for write in batch:
                self._db.executemany(_PUT, write.puts)
                self._db.executemany(_DELETE, write.deletes)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            return explain(error, self._path)
        return None


def _open(path: Path) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_S)
    except sqlite3.Error as error:
        raise explain(error, path) from error
    try:
        _prepare(db, path)
    except sqlite3.Error as error:
        db.close()
        raise explain(error, path) from error
    except StorageError:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, _FORMAT):
        raise StorageError(
            f"{path} was written by another version of selfedge (format {version}, "
            f"this one reads {_FORMAT}). Run that version, or name another folder."
        )
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute(
        "CREATE TABLE IF NOT EXISTS records "
        "(k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID"
    )
    db.execute(f"PRAGMA user_version = {_FORMAT}")


if TYPE_CHECKING:
    _: type[Records] = SqliteRecords
