"""What SQLite and the system say when a disk fails, in words that help."""

import errno
import sqlite3
from pathlib import Path

from selfedge.errors import StorageError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def explain(error: OSError | sqlite3.Error, path: Path) -> StorageError:
    """Return the StorageError for `error`, which happened at the file `path`."""
    if isinstance(error, OSError):
        if error.errno in _FULL:
            return _full(path)
        return StorageError(f"{path} cannot be used: {error.strerror or error}.")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return _full(path)
    if code in _DAMAGED:
        return _damaged(path, str(error))
    if code == sqlite3.SQLITE_IOERR:
        return StorageError(
            f"{path} cannot be read or written ({error}): the disk that holds "
            f"{path.parent} is full or failing. Nothing was written."
        )
    return StorageError(f"{path} cannot be used: {error}.")


def _full(path: Path) -> StorageError:
    return StorageError(
        f"The disk that holds {path.parent} is full. Nothing was written; "
        "free some space there and try again."
    )


def _damaged(path: Path, reason: str) -> StorageError:
    aside = f'for f in {path}*; do mv "$f" "$f.damaged"; done'
    return StorageError(
        f"{path} is damaged ({reason}). To begin anew without what it holds, stop "
        f"selfedge and move the file away: {aside}"
    )
