"""D1 from a Worker under `selfedge dev`: reloads, restarts, kills, two Workers."""

import os
import signal
import sqlite3
import time
from contextlib import closing, suppress
from http.client import HTTPException
from threading import Thread

import pytest
from d1_project import PROJECT, ask

from harness import Nodes, worker
from harness.load import load

CREATE = "CREATE TABLE IF NOT EXISTS numbers (n REAL)"
COUNT = "SELECT count(*) AS n FROM numbers"
WAIT_S = 20.0
ENDLESS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
    " SELECT count(*) FROM n"
)


def test_the_table_of_dev_names_the_database(dev: Nodes):
    node = dev(PROJECT)
    assert "env.DB" in node.output
    assert "D1 database" in node.output
    assert "people" in node.output


def test_a_write_is_there_after_a_reload_and_a_restart(dev: Nodes):
    node = dev(PROJECT)
    ask(node, CREATE)
    node.request("/?n=1", method="POST")
    node.reload("index.ts", PROJECT["index.ts"] + "// saved")
    assert ask(node, COUNT) == [{"n": 1}]
    node.restart()
    assert ask(node, COUNT) == [{"n": 1}]


def test_no_acknowledged_write_is_lost_when_the_node_is_killed_under_load(dev: Nodes):
    node = dev(PROJECT)
    ask(node, CREATE)
    with load(node.url, clients=8, posts_only=True) as heard:
        deadline = time.monotonic() + WAIT_S
        while len(heard.answers) < 200 and time.monotonic() < deadline:
            time.sleep(0.005)
        os.kill(node.process.pid, signal.SIGKILL)
        node.process.wait(WAIT_S)
    acknowledged = {float(body) for body in heard.bodies("POST")}
    again = dev(node.project)
    there = {row["n"] for row in ask(again, "SELECT n FROM numbers")}
    assert len(acknowledged) >= 200
    assert acknowledged <= there


def test_workers_that_name_one_id_share_its_database(dev: Nodes):
    binding = '[[d1_databases]]\nbinding = "DB"\ndatabase_id = "shared"\n'
    other = worker(PROJECT["index.ts"], binding, name="other")
    caller = worker(
        "export default { fetch: (r, env) => env.OTHER.fetch(r) };",
        f'{binding}\n[[services]]\nbinding = "OTHER"\nservice = "other"\n',
        files={f"other/{name}": content for name, content in other.items()},
    )
    node = dev(caller, "-c", "wrangler.toml", "-c", "other/wrangler.toml")
    assert ask(node, CREATE) == []
    assert ask(node, COUNT) == [{"n": 0}]


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SELFEDGE_D1_MAX_BYTES", "much"), ("SELFEDGE_D1_QUERY_SECONDS", "-1")],
)
def test_a_limit_that_is_no_number_is_refused(dev: Nodes, monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    node = dev.launch(PROJECT)
    assert node.wait_exit(WAIT_S) == 2
    assert f"{variable} is a number over 0" in node.output
    assert "Traceback" not in node.output


def test_a_query_that_never_ends_is_stopped(dev: Nodes, monkeypatch):
    monkeypatch.setenv("SELFEDGE_D1_QUERY_SECONDS", "0.3")
    node = dev(PROJECT)
    said = ask(node, ENDLESS)
    assert "D1_ERROR: D1 DB exceeded its time limit" in said["error"]
    assert ask(node, "SELECT 1 AS a") == [{"a": 1}]


def test_a_node_stops_beside_a_query_that_never_ends(dev: Nodes):
    node = dev(PROJECT)
    asking = Thread(target=quietly, args=(node,))
    asking.start()
    assert ask(node, "SELECT 1 AS a") == [{"a": 1}]
    node.stop()
    asking.join(WAIT_S)
    assert not asking.is_alive()


def quietly(node):
    with suppress(OSError, HTTPException, ValueError):
        ask(node, ENDLESS)


def test_a_dump_is_the_database_file(dev: Nodes):
    code = """
    export default {
      async fetch(request, { DB }) {
        await DB.exec("CREATE TABLE t (a)");
        return new Response(await DB.dump());
      },
    };
    """
    binding = '[[d1_databases]]\nbinding = "DB"\n'
    body = dev(worker(code, binding)).request("/").body
    with closing(sqlite3.connect(":memory:")) as one:
        one.deserialize(body)
        assert one.execute("SELECT count(*) FROM t").fetchone() == (0,)
