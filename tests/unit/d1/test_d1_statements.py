"""Text is split where SQLite would split it."""

import sqlite3
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedge.bindings.d1.sql.statements import (
    Splitter,
    is_blank,
    looks_read_only,
    split,
)

TRIGGER = (
    "CREATE TRIGGER t AFTER INSERT ON a BEGIN"
    " SELECT CASE WHEN 1 THEN 2 END; DELETE FROM b; END"
)
PIECES = [
    "SELECT 1", ";", " ", "\n", "'a;b'", "''", "'it''s'", '"q;"', "`b;`", "[c;]",
    "-- note;\n", "/* note; */", "/**/", "-", "/", "*", "CREATE", "TEMP", "TRIGGER",
    "EXPLAIN", "END", "BEGIN", "x", "(", "é", "1", "ENDING", "'", '"', "/*", "--",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" ; ;; -- nothing\n;/* no */", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';'; SELECT \";\"", ["SELECT ';'", 'SELECT ";"']),
        ("SELECT 1 -- a; b\n; SELECT 2", ["SELECT 1 -- a; b", "SELECT 2"]),
        ("SELECT 1 /* ; */; SELECT 2", ["SELECT 1 /* ; */", "SELECT 2"]),
        (f"{TRIGGER}; SELECT 1", [TRIGGER, "SELECT 1"]),
        ("CREATE TABLE a (b); SELECT 1", ["CREATE TABLE a (b)", "SELECT 1"]),
        ("SELECT 'open; SELECT 2", ["SELECT 'open; SELECT 2"]),
    ],
)
def test_statements_end_at_their_semicolons(text, expected):
    assert [one.strip() for one in split(text)] == expected


@given(TEXTS)
def test_a_statement_is_complete_where_it_ends_and_not_before(text):
    """SQLite says of each that it is whole, and of none that it could end sooner."""
    *whole, _last = [*split(f"{text}\n"), ""]
    for statement in whole[:-1]:
        assert sqlite3.complete_statement(f"{statement};")
        for end, character in enumerate(statement):
            if character == ";" and not is_blank(statement[:end]):
                assert not sqlite3.complete_statement(statement[: end + 1])


@given(TEXTS, st.lists(st.integers(0, 60), max_size=6))
def test_parts_of_a_text_make_the_same_statements(text, cuts):
    splitter = Splitter()
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    parts = [text[a:b] for a, b in pairwise(edges)]
    found = [one for part in parts for one in splitter.feed(part)]
    found += splitter.finish()
    whole = Splitter()
    assert found == [*whole.feed(text), *whole.finish()]


@given(TEXTS)
def test_nothing_but_blanks_is_lost(text):
    def bare(given):
        return [one for one in given if one not in " \n;"]

    kept = bare("".join(split(text)))
    assert len(kept) <= len(bare(text))
    if not kept:
        assert is_blank(text)


@pytest.mark.parametrize(
    ("statement", "reads"),
    [
        ("select 1", True),
        ("-- note\n SELECT 1", True),
        ("/* a */ values (1)", True),
        ("WITH x AS (SELECT 1) SELECT * FROM x", True),
        ("INSERT INTO a VALUES (1)", False),
        ("PRAGMA table_info(a)", False),
        ("selection", False),
        ("", False),
    ],
)
def test_what_looks_like_a_read(statement, reads):
    assert looks_read_only(statement) is reads
