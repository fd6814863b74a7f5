"""What is exported comes back by an import, value for value."""

import sqlite3
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfedge.bindings.d1.database.connection import Connection
from selfedge.bindings.d1.database.model import Query
from selfedge.bindings.d1.errors import D1Error, NoStatements, TransferFailed
from selfedge.bindings.d1.transfer.dump import Options, dump
from selfedge.bindings.d1.transfer.imports import ingest

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
TRICKY = st.sampled_from(
    ["it's", "a\nb", "a\r\nb", "\\n\n", "(\\n1)\\n\n", "\0", "--;"]
)
VALUES = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | TEXT
    | TRICKY
    | st.binary(max_size=20)
)
SCHEMA = """CREATE TABLE "odd "" name" (id INTEGER PRIMARY KEY AUTOINCREMENT, "a b", c);
CREATE TABLE p (id INTEGER PRIMARY KEY);
CREATE TABLE c (p INTEGER REFERENCES p (id));
CREATE INDEX by_c ON "odd "" name" (c);
CREATE VIEW v AS SELECT id FROM p;
CREATE TRIGGER t AFTER DELETE ON p BEGIN DELETE FROM c WHERE p = old.id; SELECT 1; END;
INSERT INTO c SELECT 1 WHERE 0; INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)"""


def opened(path: Path) -> Connection:
    return Connection(path, writable=True, most_bytes=10**9)


def dumped(connection: Connection, **options) -> str:
    raw = apsw.Connection(str(connection.path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return "\n".join(dump(raw, Options(**options)))
    finally:
        raw.close()


def imported(folder: Path, text: str | bytes) -> Connection:
    file = folder / "in.sql"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    target = opened(folder / "target.sqlite")
    try:
        ingest(target, file)
    except BaseException:
        target.close()
        raise
    return target


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(VALUES, VALUES), max_size=12))
def test_every_value_comes_back(tmp_path_factory, pairs):
    folder = tmp_path_factory.mktemp("dump")
    source = opened(folder / "source.sqlite")
    put = 'INSERT INTO "odd "" name" ("a b", c) VALUES (?, ?)'
    source.run([Query(SCHEMA), *(Query(put, pair) for pair in pairs)])
    target = imported(folder, dumped(source))
    read = [Query('SELECT * FROM "odd "" name" ORDER BY id')]
    assert target.run(read)[0].rows == source.run(read)[0].rows
    names = [Query("SELECT type, name FROM sqlite_schema ORDER BY name")]
    assert target.run(names)[0].rows == source.run(names)[0].rows
    source.close()
    target.close()


def test_an_export_is_what_the_sqlite_shell_reads(tmp_path):
    source = opened(tmp_path / "source.sqlite")
    source.run([Query(SCHEMA), Query("INSERT INTO p VALUES (2), (3)")])
    plain = sqlite3.connect(":memory:")
    plain.executescript(dumped(source))
    assert plain.execute("SELECT count(*) FROM p").fetchone() == (3,)
    plain.close()
    source.close()


@pytest.mark.parametrize(
    ("options", "has", "has_not"),
    [
        ({"schema": False}, "INSERT INTO", "CREATE"),
        ({"data": False}, "CREATE TABLE", "INSERT"),
        ({"tables": ["p"]}, 'INSERT INTO "p"', 'INSERT INTO "c"'),
    ],
)
def test_a_part_can_be_exported(tmp_path, options, has, has_not):
    source = opened(tmp_path / "source.sqlite")
    source.run([Query(SCHEMA)])
    text = dumped(source, **options)
    source.close()
    assert has in text
    assert has_not not in text.replace("DELETE ON p BEGIN", "")


def test_a_virtual_table_is_not_exported(tmp_path):
    source = opened(tmp_path / "source.sqlite")
    source.run([Query("CREATE VIRTUAL TABLE f USING fts5(x)")])
    with pytest.raises(TransferFailed, match="Virtual Tables"):
        dumped(source)
    source.close()


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("CREATE TABLE a (b);\nINSERT INTO nowhere VALUES (1);", D1Error, "nowhere"),
        ("CREATE TABLE a (b);\nINSERT INTO a VALUES ('", D1Error, "unrecognized"),
        ("BEGIN TRANSACTION;\nCREATE TABLE a (b);\nCOMMIT;", D1Error, "transaction"),
        (b"CREATE TABLE a (b); INSERT INTO a VALUES ('\xff')", TransferFailed, "UTF-8"),
        (b"SQLite format 3\0", D1Error, 'near "SQLite"'),
        ("-- nothing\n", NoStatements, "No SQL"),
        ("", NoStatements, "No SQL"),
        ("SELECT '" + "x" * 6_000_000, TransferFailed, "over 5000000 bytes"),
    ],
    ids=["table", "cut", "begin", "latin", "binary", "comment", "empty", "long"],
)
def test_a_file_that_is_wrong_changes_nothing(tmp_path, text, error, words):
    with pytest.raises(error, match=words):
        imported(tmp_path, text)
    target = opened(tmp_path / "target.sqlite")
    assert target.run([Query("SELECT * FROM sqlite_schema")])[0].rows == []
    target.close()


def test_a_row_of_two_megabytes_comes_back(tmp_path):
    source = opened(tmp_path / "source.sqlite")
    blob = bytes(range(256)) * 7_000
    source.run([Query("CREATE TABLE a (b)"), Query("INSERT INTO a VALUES (?)", [blob])])
    target = imported(tmp_path, dumped(source))
    assert target.run([Query("SELECT b FROM a")])[0].rows == [(blob,)]
    with pytest.raises(D1Error, match="too big"):
        target.run([Query(f"SELECT '{'x' * 100_001}'")])
    source.close()
    target.close()


def test_a_byte_order_mark_is_no_sql(tmp_path):
    target = imported(tmp_path, b"\xef\xbb\xbfCREATE TABLE a (b);")
    assert target.run([Query("SELECT count(*) FROM a")])[0].rows == [(0,)]
    target.close()
