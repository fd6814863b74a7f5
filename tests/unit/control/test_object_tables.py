"""Tables of an object's file are read beside an owner who goes on writing."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfedge.control import object_tables
from selfedge.control.object_tables import CELL_MAX, NoTable, NotRead, Part

ALL = Part(skip=0, size=50)
ENDLESS = """
    CREATE VIEW endless AS
    WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
    SELECT count(*) AS c FROM n
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "object #1?.sqlite"


@pytest.fixture
def owner(file: Path) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(file, isolation_level=None, timeout=0)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute('CREATE TABLE "a ""table" (id INTEGER PRIMARY KEY, "x "" y", b BLOB)')
    db.execute("CREATE TABLE _cf_KV (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID")
    db.execute("INSERT INTO _cf_KV VALUES ('count', x'ff0f490e'), ('odd', x'00')")
    yield db
    db.close()


def test_names_are_quoted_and_values_keep_their_type(
    file: Path, owner: sqlite3.Connection
) -> None:
    values = [None, 1.5, 2**60, "text", "ä" * (CELL_MAX + 1), b"\x01\xff", float("inf")]
    for value in values:
        owner.execute('INSERT INTO "a ""table" ("x "" y", b) VALUES (?, ?)', (value, 1))
    found = object_tables.rows(file, 'a "table', ALL)
    assert found["columns"] == ["id", 'x " y', "b"]
    assert [row[1] for row in found["rows"]] == [
        None,
        1.5,
        str(2**60),
        "text",
        {"text": "ä" * CELL_MAX, "chars": CELL_MAX + 1},
        {"blob": "01ff", "bytes": 2},
        "inf",
    ]


def test_rows_come_in_pages(file: Path, owner: sqlite3.Connection) -> None:
    owner.executemany('INSERT INTO "a ""table" (id) VALUES (?)', [(n,) for n in (1, 2)])
    first = object_tables.rows(file, 'a "table', Part(skip=0, size=1))
    last = object_tables.rows(file, 'a "table', Part(skip=1, size=1))
    assert (first["rows"][0][0], first["more"]) == (1, True)
    assert (last["rows"][0][0], last["more"]) == (2, False)


def test_pairs_are_decoded_where_they_can_be(
    file: Path, owner: sqlite3.Connection
) -> None:
    assert object_tables.pairs(file, ALL) == {
        "pairs": [
            {"key": "count", "bytes": 4, "text": "7"},
            {"key": "odd", "bytes": 1, "text": None},
        ],
        "more": False,
    }


def test_tables_of_the_engine_are_listed_and_not_read(
    file: Path, owner: sqlite3.Connection
) -> None:
    found = object_tables.tables(file)
    assert found["has_pairs"]
    assert {"name": "_cf_KV", "kind": "internal"} in found["tables"]
    for name in ("_cf_KV", "_CF_kv", "sqlite_master", "none", ""):
        with pytest.raises(NoTable):
            object_tables.rows(file, name, ALL)


def test_a_reader_holds_up_no_writer(file: Path, owner: sqlite3.Connection) -> None:
    with object_tables._opened(file) as reader:
        look = reader.execute("SELECT key FROM _cf_KV")
        assert look.fetchone() == ("count",)
        owner.execute("BEGIN EXCLUSIVE")
        owner.execute("DELETE FROM _cf_KV")
        owner.execute("COMMIT")
        assert look.fetchone() == ("odd",)
    assert object_tables.pairs(file, ALL)["pairs"] == []


def test_nothing_is_left_beside_a_file_at_rest(
    file: Path, owner: sqlite3.Connection
) -> None:
    owner.close()
    before = sorted(one.name for one in file.parent.iterdir())
    assert len(object_tables.pairs(file, ALL)["pairs"]) == 2
    assert sorted(one.name for one in file.parent.iterdir()) == before


def test_a_view_without_end_is_given_up(
    file: Path, owner: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.execute(ENDLESS)
    monkeypatch.setattr(object_tables, "TIME_MAX_S", 0.1)
    with pytest.raises(NotRead):
        object_tables.rows(file, "endless", ALL)


def test_a_file_that_is_none_is_told(file: Path) -> None:
    file.write_bytes(b"no database at all" * 100)
    with pytest.raises(NotRead):
        object_tables.tables(file)
