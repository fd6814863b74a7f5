"""Each documented limit holds at its last value and not beyond."""

from pathlib import Path

import pytest

from selfedge.bindings.d1 import limits
from selfedge.bindings.d1.database.connection import Connection
from selfedge.bindings.d1.database.model import Query
from selfedge.bindings.d1.errors import D1Error

SIZE = 400_000


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    connection = Connection(
        tmp_path_factory.mktemp("d1") / "x.sqlite", writable=True, most_bytes=SIZE
    )
    yield connection
    connection.close()


def listed(part, count):
    return ",".join([part] * count)


def compound(count):
    return " UNION ALL ".join(["SELECT 1"] * count)


def run(connection, sql, *parameters):
    return connection.run([Query(sql, parameters)])[0].rows


@pytest.mark.parametrize(
    ("at", "over", "words"),
    [
        (
            [f"SELECT '{'x' * (limits.STATEMENT_MAX_BYTES - 9)}'"],
            [f"SELECT '{'x' * (limits.STATEMENT_MAX_BYTES - 8)}'"],
            "string or blob too big: SQLITE_TOOBIG",
        ),
        (
            [f"SELECT {listed('?', 100)}", *[1.0] * 100],
            [f"SELECT {listed('?', 101)}", *[1.0] * 101],
            "too many SQL variables",
        ),
        (
            ["SELECT length(?)", "x" * limits.VALUE_MAX_BYTES],
            ["SELECT length(?)", "x" * (limits.VALUE_MAX_BYTES + 1)],
            "string or blob too big",
        ),
        (
            ["SELECT length(?)", b"x" * limits.VALUE_MAX_BYTES],
            ["SELECT length(?)", b"x" * (limits.VALUE_MAX_BYTES + 1)],
            "string or blob too big",
        ),
        (
            [f"SELECT {listed('1', 100)}"],
            [f"SELECT {listed('1', 101)}"],
            "too many columns in result set",
        ),
        (
            [f"CREATE TABLE at ({','.join(f'c{i}' for i in range(100))})"],
            [f"CREATE TABLE over ({','.join(f'c{i}' for i in range(101))})"],
            "too many columns on over",
        ),
        (
            [f"SELECT 1 WHERE 'a' LIKE '{'%' * 50}'"],
            [f"SELECT 1 WHERE 'a' LIKE '{'%' * 51}'"],
            "LIKE or GLOB pattern too complex",
        ),
        (
            [f"SELECT max({listed('1', 32)})"],
            [f"SELECT max({listed('1', 33)})"],
            "too many arguments on function max",
        ),
        ([compound(5)], [compound(6)], "too many terms in compound SELECT"),
    ],
    ids=[
        "statement", "parameters", "string", "blob", "columns", "columns of a table",
        "pattern", "arguments", "compound",
    ],
)  # fmt: skip
def test_a_limit_holds(one, at, over, words):
    run(one, *at)
    with pytest.raises(D1Error, match=words):
        run(one, *over)


def test_a_database_grows_to_its_size_and_no_further(one):
    run(one, "CREATE TABLE big (b)")
    with pytest.raises(D1Error, match="Exceeded maximum DB size: SQLITE_FULL"):
        run(one, "INSERT INTO big VALUES (zeroblob(500000))")
    run(one, "INSERT INTO big VALUES (zeroblob(100000))")
    assert run(one, "SELECT count(*) FROM big") == [(1,)]
    run(one, "DROP TABLE big")


def test_a_result_that_fits_no_worker_is_refused(one):
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT zeroblob(1000000) FROM n"
    )
    with pytest.raises(D1Error, match="The result is over"):
        run(one, endless)
    assert run(one, "SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE temp.t (a)",
        "CREATE TEMP VIEW v AS SELECT 1",
        "CREATE TRIGGER temp.t AFTER INSERT ON s BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE d USING dbstat",
        "SELECT * FROM dbstat",
        "SELECT * FROM sqlite_dbpage",
        "SELECT load_extension('x')",
        "SELECT * FROM pragma_compile_options",
        "PRAGMA data_version = 1",
        "PRAGMA main.journal_mode",
    ],
)
def test_what_is_unsafe_is_refused(one, sql):
    with pytest.raises(D1Error, match=r"not authorized|prohibited|no such"):
        run(one, sql)


@pytest.mark.parametrize("name", ["BEGIN", "COMMIT", "ROLLBACK", "BEGIN IMMEDIATE"])
def test_our_own_transactions_lend_nobody_theirs(one, name):
    """What we prepare for ourselves is not kept for who writes it alike."""
    for _ in range(3):
        run(one, "SELECT 1")
        with pytest.raises(D1Error, match="To execute a transaction"):
            run(one, name)


@pytest.mark.parametrize(
    ("setting", "probe", "default"),
    [
        ("case_sensitive_like", "SELECT 'A' LIKE 'a'", 1),
        ("recursive_triggers", "PRAGMA recursive_triggers", 0),
        ("ignore_check_constraints", "PRAGMA ignore_check_constraints", 0),
        ("legacy_alter_table", "PRAGMA legacy_alter_table", 0),
        ("reverse_unordered_selects", "PRAGMA reverse_unordered_selects", 0),
    ],
)
def test_what_a_pragma_sets_ends_with_its_batch(one, setting, probe, default):
    queries = [Query(f"PRAGMA {setting} = 1"), Query(probe)]
    assert one.run(queries)[1].rows == [(1 - default,)]
    assert run(one, probe) == [(default,)]


@pytest.mark.parametrize("sql", ["SELECT 1\0", "SELECT '\ud800'", "SELECT ?\ud800"])
def test_text_that_sqlite_cannot_take_is_refused(one, sql):
    with pytest.raises(D1Error):
        run(one, sql)


def test_a_file_that_is_no_database_says_so(tmp_path: Path):
    path = tmp_path / "x.sqlite"
    path.write_bytes(b"not a database at all, but long enough" * 100)
    with pytest.raises(D1Error, match="is damaged"):
        Connection(path, writable=True, most_bytes=SIZE)
