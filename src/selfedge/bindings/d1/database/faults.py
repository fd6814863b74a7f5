"""What SQLite says when it refuses, in D1's words."""

from pathlib import Path

import apsw

from selfedge.bindings.d1.errors import Damaged, SqlFailed

TRANSACTION_WORDS = (
    "To execute a transaction, please use the state.storage.transaction() or"
    " state.storage.transactionSync() APIs instead of the SQL BEGIN TRANSACTION or"
    " SAVEPOINT statements. The JavaScript API is safer because it will automatically"
    " roll back on exceptions, and because it interacts correctly with Durable"
    " Objects' automatic atomic write coalescing."
)
BINDING_WORDS = "Wrong number of parameter bindings for SQL query."
SIZE_WORDS = "Exceeded maximum DB size: SQLITE_FULL"
TEXT_WORDS = (
    "A text value is not UTF-8 and cannot be shown; read it with CAST(… AS BLOB)."
)
_DAMAGED = (apsw.SQLITE_CORRUPT, apsw.SQLITE_NOTADB)
_DISK = (apsw.SQLITE_FULL, apsw.SQLITE_IOERR, apsw.SQLITE_CANTOPEN)


def explain(error: apsw.Error, folder: Path) -> SqlFailed:
    """Return the answer for what SQLite raised at the database in `folder`."""
    if isinstance(error, apsw.BindingsError):
        return SqlFailed(BINDING_WORDS)
    if isinstance(error, apsw.ExecutionCompleteError):
        return SqlFailed("The statement has nothing to execute: SQLITE_MISUSE")
    result = getattr(error, "result", apsw.SQLITE_ERROR)
    extended = getattr(error, "extendedresult", result)
    name = _code(apsw.mapping_result_codes, result)
    if result in _DAMAGED:
        return Damaged(
            f"The database in {folder} is damaged ({error}); restore a snapshot with:"
            f" selfedge d1 time-travel restore: {name}"
        )
    if result in _DISK:
        return SqlFailed(
            f"The disk that holds {folder} is full or failing ({error}). Nothing was"
            f" written; free some space there and try again: {name}"
        )
    text = f"{error}{_offset(error)}: {name}"
    if extended not in (result, 0):
        text += f" (extended: {_code(apsw.mapping_extended_result_codes, extended)})"
    return SqlFailed(text)


def explain_text(error: ValueError) -> SqlFailed:
    """Return the answer for text that SQLite or Python cannot take."""
    if isinstance(error, UnicodeError):
        return SqlFailed(TEXT_WORDS)
    return SqlFailed(f"{error}: SQLITE_ERROR")  # a NUL in the SQL


def _offset(error: apsw.Error) -> str:
    offset = getattr(error, "error_offset", -1)
    return f" at offset {offset}" if offset >= 0 else ""


def _code(names: object, number: int) -> str:
    found = names.get(number) if isinstance(names, dict) else None
    return str(found or "SQLITE_ERROR")
