"""What `selfedge deploy` sends, and what `versions deploy` understands."""

import re

import pytest

from selfedge.bundle import Bundle
from selfedge.bundle.model import Module
from selfedge.cli.workers import worker_name
from selfedge.cli.workers.provision import provisioned
from selfedge.cli.workers.queues import consumer
from selfedge.cli.workers.traffic import parsed_shares
from selfedge.cli.workers.upload import entries, form, metadata, pending
from selfedge.control.workers.upload import read_upload
from selfedge.errors import UsageError
from selfedge.manifest.deployment import read_deployment
from selfedge.manifest.reader import read
from selfedge.standard import BINDINGS

FILE = """
name = "app"
main = "index.js"
compatibility_date = "2026-01-01"
compatibility_flags = ["nodejs_compat"]
keep_vars = true
logpush = false
limits = { cpu_ms = 50 }
workers_dev = true
routes = ["a.example/*", { pattern = "b.example", custom_domain = true }]
vars = { TEXT = "x" }
[[migrations]]
tag = "v1"
new_sqlite_classes = ["A"]
[[migrations]]
tag = "v2"
renamed_classes = [{ from = "A", to = "B" }]
"""
BUNDLE = Bundle(
    modules=[
        Module(name="app.js", type="esModule", content=b"export default {}"),
        Module(name='a/"b".txt', type="data", content=b"--\r\n\xff"),
    ],
    exports=["default"],
    source_map=b"{}",
    inputs=frozenset(),
)
TABLES = {one.table for one in BINDINGS if one.table}


@pytest.fixture
def file(tmp_path):
    (tmp_path / "index.js").write_text("export default {}")
    (tmp_path / ".dev.vars").write_text("TEXT=local\nHUSH=secret\n")
    path = tmp_path / "wrangler.toml"
    path.write_text(FILE)
    return path


def test_the_node_reads_what_is_sent(file):
    manifest = read(file, tables=TABLES, local=False)
    told = read_deployment(file, None)
    given = entries(manifest, BINDINGS)
    assert given == [{"type": "plain_text", "name": "TEXT", "text": "x"}]
    said = metadata(manifest, told, given, {"workers/tag": "t"}, main_module="app.js")
    body, kind = form(said, BUNDLE)
    heard = read_upload(kind, body, "2026-11-25")
    assert heard.metadata.bindings == given
    assert heard.metadata.compatibility_flags == ["nodejs_compat"]
    assert heard.metadata.limits == {"cpu_ms": 50}
    assert heard.metadata.annotations == {"workers/tag": "t"}
    assert "plain_text" in heard.metadata.keep_bindings
    names = [module.name for module in heard.code.modules]
    assert names == ["app.js", 'a/"b".txt']
    assert bytes(heard.code.modules[1].content) == b"--\r\n\xff"
    assert bytes(heard.code.source_map) == b"{}"


def test_local_values_are_not_deployed(file):
    manifest = read(file, tables=TABLES, local=False)
    assert manifest.secrets == {}
    assert manifest.tables["vars"] == {"TEXT": "x"}
    assert b"secret" not in form({}, BUNDLE)[0]


def test_routes_and_domains_come_as_tables(file):
    told = read_deployment(file, None)
    shown = [(one.pattern, one.custom_domain) for one in told.entries]
    assert shown == [("a.example/*", False), ("b.example", True)]
    assert told.has_own_name
    assert told.triggers.crons is None


@pytest.mark.parametrize(
    ("at", "old", "steps"),
    [(None, None, 2), ("unknown", "unknown", 2), ("v1", "v1", 1), ("v2", None, 0)],
)
def test_migrations_that_were_applied_are_not_sent_again(file, at, old, steps):
    found = pending(read(file, tables=TABLES, local=False), at)
    if not steps:
        assert found is None
        return
    assert found.get("old_tag") == old
    assert found["new_tag"] == "v2"
    assert len(found["steps"]) == steps
    assert "tag" not in found["steps"][0]


def test_a_table_that_cannot_be_deployed_is_named(file):
    bare = [one for one in BINDINGS if one.table != "vars"]
    manifest = read(file, tables=TABLES, local=False)
    with pytest.raises(UsageError, match=re.escape(f"`vars` of {file}")):
        entries(manifest, bare)


class Node:
    """Makes what it is asked for."""

    def __init__(self):
        self.made = []

    def every(self, path, _query=None):
        return iter([{"title": "app-there", "id": "1"}] if "kv" in path else [])

    def call(self, method, path, *, json=None, **_options):
        if method == "GET":
            return {"buckets": []}
        self.made.append((path.rpartition("}")[2], json))
        return {"id": "2", "uuid": "3"}


def test_what_a_file_does_not_name_is_inherited_found_or_made():
    node = Node()
    wanted = [
        {"type": "kv_namespace", "name": "NAMED", "namespace_id": "n"},
        {"type": "kv_namespace", "name": "OLD"},
        {"type": "kv_namespace", "name": "THERE"},
        {"type": "kv_namespace", "name": "MY_NEW"},
        {"type": "d1", "name": "DB"},
        {"type": "r2_bucket", "name": "FILES"},
        {"type": "ai", "name": "AI"},
    ]
    there = [{"type": "kv_namespace", "name": "OLD"}, {"type": "ai", "name": "DB"}]
    assert provisioned(node, "app", wanted, there) == [
        wanted[0],
        {"name": "OLD", "type": "inherit"},
        {**wanted[2], "namespace_id": "1"},
        {**wanted[3], "namespace_id": "2"},
        {**wanted[4], "id": "3"},
        {**wanted[5], "bucket_name": "app-files"},
        wanted[6],
    ]
    assert [body for _, body in node.made] == [
        {"title": "app-my-new"},
        {"name": "app-db"},
        {"name": "app-files"},
    ]


@pytest.mark.parametrize(
    ("given", "percentages"),
    [
        (["a"], [100]),
        (["a@100%"], [100]),
        (["a@60", "b@40%"], [60, 40]),
        (["a@90", "b"], [90, 10]),
        (["a", "b"], [50, 50]),
        ([], []),
    ],
)
def test_shares_are_read_as_wrangler_reads_them(given, percentages):
    assert [one["percentage"] for one in parsed_shares(given)] == percentages


@pytest.mark.parametrize(
    "given", [["a@50"], ["a@x"], ["a@-1", "b"], ["a", "b", "c"], ["a@60", "b@60"]]
)
def test_shares_that_cannot_be_are_refused(given):
    with pytest.raises(UsageError):
        parsed_shares(given)


def test_a_name_is_asked_for_where_no_file_is(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert worker_name("given", None, None) == "given"
    with pytest.raises(UsageError, match="--name NAME"):
        worker_name(None, None, None)


def test_a_consumer_is_told_as_wrangler_tells_it():
    entry = {"queue": "q", "max_batch_size": 5, "max_batch_timeout": 2.5}
    assert consumer("app", {**entry, "dead_letter_queue": "dlq"}) == {
        "type": "worker",
        "script_name": "app",
        "settings": {"batch_size": 5, "max_wait_time_ms": 2500},
        "dead_letter_queue": "dlq",
    }
