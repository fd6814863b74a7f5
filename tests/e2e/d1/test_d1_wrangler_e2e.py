"""Unmodified `wrangler d1` against the database that a Worker uses."""

import json

import pytest
from d1_project import PROJECT, ask

from harness import Node, Nodes
from harness.wrangler import Wrangler


@pytest.fixture(scope="module")
def node(shared_dev: Nodes) -> Node:
    return shared_dev(PROJECT)


@pytest.fixture(scope="module")
def d1(node):
    """Run `wrangler d1 …` in the project; return what it printed, it must succeed."""
    wrangler = Wrangler.installed(node.project)

    def run(*arguments, code=0):
        done = wrangler(node.api, "d1", *arguments)
        assert done.code == code, done.text
        return done.text

    return run


@pytest.fixture(scope="module")
def migrated(d1):
    d1("migrations", "apply", "people", "--remote")


def test_a_database_is_made_listed_described_and_deleted(d1):
    d1("create", "by-wrangler")
    listed = json.loads(d1("list", "--json"))
    assert {"by-wrangler", "people", "app-no-id"} <= {one["name"] for one in listed}
    shown = json.loads(d1("info", "by-wrangler", "--json"))
    assert (shown["num_tables"], shown["rows_read_24h"]) == (0, 0)
    assert "Deleted 'by-wrangler'" in d1("delete", "by-wrangler", "-y")


def test_migrations_reach_the_worker(d1, node, migrated):
    assert ask(node, "SELECT name, age FROM people WHERE id = 1") == [
        {"name": "Ada; Countess", "age": None}
    ]
    d1("migrations", "create", "people", "third")
    left = d1("migrations", "list", "people", "--remote")
    assert ("0003_third.sql" in left, "0001" in left) == (True, False)


def test_a_command_and_a_file_are_executed(d1, node, migrated):
    sql = "INSERT INTO people (name) VALUES ('Kurt'); SELECT changes() AS n"
    shown = json.loads(d1("execute", "DB", "--remote", "--json", "--command", sql))
    assert shown[1]["results"] == [{"n": 1}]
    d1("execute", "people", "--remote", "-y", "--file", "more.sql")
    count = "SELECT count(*) AS n FROM people WHERE name = 'Grace' AND age = 1"
    assert ask(node, count) == [{"n": 3}]
    said = d1("execute", "people", "--remote", "-y", "--file", "bad.sql", code=1)
    assert "no such table: nowhere" in said
    assert ask(node, count) == [{"n": 3}]


def test_a_database_without_an_id_is_found_by_the_name_that_wrangler_makes(d1, node):
    d1("execute", "NO_ID", "--remote", "--command", "CREATE TABLE t (a)")
    assert ask(node, "SELECT count(*) AS n FROM t", "/no-id") == [{"n": 0}]


def test_an_export_is_written(d1, node, migrated):
    d1("export", "people", "--remote", "--output", "out.sql")
    text = (node.project / "out.sql").read_text()
    assert "'Ada; Countess'" in text
    assert "CREATE TRIGGER grown" in text


def test_time_travel_goes_back(d1, node, migrated):
    mark = json.loads(d1("time-travel", "info", "people", "--json"))["bookmark"]
    before = ask(node, "SELECT count(*) AS n FROM people")
    ask(node, "DELETE FROM people")
    text = d1("time-travel", "restore", "people", f"--bookmark={mark}", "--json")
    assert ask(node, "SELECT count(*) AS n FROM people") == before
    assert json.loads(text)["previous_bookmark"] > mark
