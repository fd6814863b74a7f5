"""The routes that no client of ours asks: changes, single consumers, peeks, purges."""

import base64
import json

import pytest

from harness.api import bindings_server
from selfedge.bindings import queues

ALL = "/accounts/local/queues"


class Node:
    def __init__(self, server):
        self._server = server

    def ask(self, method, below="", body=None):
        sent = None if body is None else json.dumps(body)
        return self._server.ask(ALL + below, method=method, body=sent)

    def result(self, method, below="", body=None):
        heard = self.ask(method, below, body)
        assert heard.status == 200, heard.body
        return heard.envelope()["result"]


@pytest.fixture
def node(tmp_path):
    with bindings_server([queues.BINDING], tmp_path) as server:
        node = Node(server)
        node.result("POST", "", {"queue_name": "a"})
        yield node


def test_a_queue_is_named_by_its_id_or_its_name(node):
    (listed,) = node.result("GET")
    assert node.result("GET", f"/{listed['queue_id']}") == listed
    assert node.result("GET", "/a") == listed


def test_lists_end_and_names_may_be_repeated(node):
    node.result("POST", "", {"queue_name": "b"})
    node.result("POST", "", {"queue_name": "c"})
    names = [one["queue_name"] for one in node.result("GET", "?name=c&name=a")]
    assert names == ["a", "c"]
    assert node.result("GET", "?page=2") == []
    assert len(node.result("GET", "?per_page=2&page=2")) == 1


def test_settings_change_one_by_one_and_the_name_too(node):
    settings = {"delivery_delay": 7, "message_retention_period": 90}
    node.result("PATCH", "/a", {"settings": settings})
    changed = node.result("PUT", "/a", {"queue_name": "z", "settings": {}})
    assert changed["queue_name"] == "z"
    assert changed["settings"] == {**settings, "delivery_paused": False}
    node.result("POST", "", {"queue_name": "a"})
    assert node.ask("PUT", "/a", {"queue_name": "z"}).code == 11009
    assert node.ask("PUT", "/a", {"queue_name": "a b"}).code == 11003


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("message_retention_period", 59),
        ("message_retention_period", 1_209_601),
        ("message_retention_period", 60.5),
        ("delivery_delay", -1),
        ("delivery_delay", 86_401),
        ("delivery_delay", "x"),
        ("delivery_paused", "yes"),
    ],
)
def test_settings_are_held_to_their_limits(node, name, value):
    heard = node.ask("PATCH", "/a", {"settings": {name: value}})
    assert heard.status == 400
    assert heard.envelope()["errors"][0]["message"]


def test_a_consumer_is_shown_changed_and_removed(node):
    made = node.result(
        "POST",
        "/a/consumers",
        {
            "type": "worker",
            "script_name": "app",
            "dead_letter_queue": "dead",
            "settings": {
                "batch_size": 3,
                "max_wait_time_ms": 2500,
                "max_retries": 5,
                "max_concurrency": 2,
                "retry_delay": 9,
            },
        },
    )
    path = f"/a/consumers/{made['consumer_id']}"
    assert node.result("GET", path) == made
    assert node.result("GET", "/a/consumers") == [made]
    assert node.result("GET", "/dead")["queue_name"] == "dead"  # made with it
    changed = node.result("PUT", path, {"type": "http_pull", "settings": {}})
    assert changed["type"] == "http_pull"
    assert changed["settings"]["visibility_timeout_ms"] == 30_000
    assert node.result("DELETE", path) == {}
    assert node.result("GET", "/a/consumers") == []
    assert node.ask("GET", path).code == 11001
    own = {"type": "worker", "script_name": "x", "dead_letter_queue": "a"}
    assert node.ask("POST", "/a/consumers", own).code == 100127


def test_a_peek_shows_and_a_purge_removes_some(node):
    bodies = [{"body": n, "content_type": "json"} for n in range(4)]
    node.result("POST", "/a/messages/batch", {"messages": bodies})
    seen = node.result("POST", "/a/messages/peek", {"batch_size": 3})["messages"]
    assert [base64.b64decode(one["body"]) for one in seen] == [b"0", b"1", b"2"]
    assert {one["attempts"] for one in seen} == {0}
    refs = [{"ref": seen[1]["ref"]}, {"ref": "none"}]
    done = node.result("POST", "/a/messages/purge", {"refs": refs})
    assert done == {"errors": [], "warnings": {"none": "not a reference of a peek"}}
    left = node.result("POST", "/a/messages/peek", {})["messages"]
    assert [base64.b64decode(one["body"]) for one in left] == [b"0", b"2", b"3"]
    assert node.result("GET", "/a/metrics")["backlog_count"] == 3


def test_a_purge_tells_when_it_was(node):
    assert node.result("GET", "/a/purge") == {"completed": "true", "started_at": ""}
    node.result("POST", "/a/messages", {"body": "x", "content_type": "text"})
    node.result("POST", "/a/purge", {"delete_messages_permanently": True})
    assert node.result("GET", "/a/purge")["started_at"].endswith("Z")
    metrics = node.result("GET", "/a/metrics")
    assert metrics == {
        "backlog_bytes": 0,
        "backlog_count": 0,
        "oldest_message_timestamp_ms": 0,
    }


def test_a_message_waits_for_the_delay_that_is_nearest_to_it(node):
    node.result("POST", "/a/consumers", {"type": "http_pull"})
    late = {"body": "late", "content_type": "text", "delay_seconds": 100}
    now = {"body": "now", "content_type": "text", "delay_seconds": 0}
    node.result(
        "POST", "/a/messages/batch", {"messages": [late, now], "delay_seconds": 50}
    )
    pulled = node.result("POST", "/a/messages/pull", {})
    assert [one["body"] for one in pulled["messages"]] == ["now"]
    assert pulled["message_backlog_count"] == 2


@pytest.mark.parametrize("below", ["", "/a", "/a/consumers", "/a/messages"])
def test_what_is_no_json_is_refused(node, below):
    method = "PATCH" if below == "/a" else "POST"
    heard = node._server.ask(ALL + below, method=method, body="{")
    assert heard.status == 400
