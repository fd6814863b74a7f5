"""Whole copies of a database file, each of one state: for snapshots and exports."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import TypeAlias

import apsw

from selfedge.bindings.d1.database.connection import Connection
from selfedge.bindings.d1.database.faults import explain
from selfedge.bindings.d1.errors import Closing

_STEP_PAGES = 10_000
Pinned: TypeAlias = apsw.Connection
"""A connection that goes on seeing one state."""


def pinned(writer: Connection) -> Pinned:
    """Return a connection to the state of now; runs on the writer.

    Raises:
        SqlFailed: the file cannot be read.
    """
    with _explained(writer.path):
        one = apsw.Connection(str(writer.path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            list(one.execute("BEGIN"))
            list(one.execute("SELECT count(*) FROM sqlite_schema"))
        except BaseException:
            one.close()
            raise
        return one


def write_copy(source: Pinned, path: Path, stop: Event) -> None:
    """Write what `source` sees to `path`, whole or not at all; close `source`.

    Raises:
        SqlFailed: the disk is full.
        Closing: `stop` was set.
    """
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    try:
        with closing(source), _explained(path):
            with closing(apsw.Connection(str(part))) as target:
                with target.backup("main", source, "main") as copying:
                    while not copying.step(_STEP_PAGES):
                        if stop.is_set():
                            raise Closing
                list(target.execute("PRAGMA journal_mode = DELETE"))
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read_copy(writer: Connection, path: Path) -> None:
    """Make the database what it is in the copy at `path`, as one transaction.

    Raises:
        SqlFailed: the disk is full; nothing was changed.
    """
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    with _explained(writer.path):
        source = apsw.Connection(f"{path.absolute().as_uri()}?immutable=1", flags=flags)
        with closing(source), writer.raw.backup("main", source, "main") as copying:
            copying.step()
    writer.forget_plans()


def described(path: Path) -> tuple[int, int]:
    """Return the number of tables of a database, and its size in bytes."""
    tables = size = 0
    with suppress(apsw.Error, OSError):
        flags = apsw.SQLITE_OPEN_READONLY
        with closing(apsw.Connection(str(path), flags=flags)) as one:
            tables = next(one.execute(_TABLES))[0]
            size = next(one.execute(_SIZE))[0]
    return int(tables), int(size)


_TABLES = """SELECT count(*) FROM sqlite_schema WHERE type = 'table'
    AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"""
_SIZE = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except apsw.Error as error:
        raise explain(error, path.parent) from error
