"""A file of SQL into a database, as one transaction."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from selfedge.bindings.d1.database.connection import Connection
from selfedge.bindings.d1.errors import NoStatements, TransferFailed
from selfedge.bindings.d1.limits import IMPORT_STATEMENT_MAX_BYTES
from selfedge.bindings.d1.sql.statements import Splitter

_CHUNK_BYTES = 256 * 1024


@dataclass(slots=True)
class Imported:
    """What an import did."""

    queries: int = 0
    rows_read: int = 0
    rows_written: int = 0
    changes: int = 0
    last_row_id: int = 0
    size_after: int = 0
    duration_ms: float = 0.0


def ingest(writer: Connection, path: Path) -> Imported:
    """Run the statements of the file at `path`, all or none.

    Raises:
        D1Error: a statement failed, or the file is no SQL text.
    """
    start = perf_counter()
    done = Imported()
    with writer.unlimited(IMPORT_STATEMENT_MAX_BYTES), writer.transaction():
        for statement in _statements(path):
            result = writer.statement(statement)
            done.queries += 1
            done.rows_read += result.rows_read
            done.rows_written += result.rows_written
            done.changes += result.changes
            done.last_row_id = result.last_row_id
        if not done.queries:
            raise NoStatements
    done.size_after = writer.measure()
    done.duration_ms = (perf_counter() - start) * 1000
    return done


def _statements(path: Path) -> Iterator[str]:
    splitter = Splitter()
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield from splitter.feed(decoder.decode(chunk))
                if splitter.held_chars > IMPORT_STATEMENT_MAX_BYTES + _CHUNK_BYTES:
                    raise TransferFailed(
                        "A statement of the file is over"
                        f" {IMPORT_STATEMENT_MAX_BYTES} bytes: SQLITE_TOOBIG"
                    )
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise TransferFailed("The file is not UTF-8 text, so no SQL.") from None
    except OSError as error:
        raise TransferFailed(f"The file cannot be read: {error.strerror}.") from error
    yield from splitter.finish()
