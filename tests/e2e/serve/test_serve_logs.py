"""Workers that are observed have a log, which outlives the node."""

import signal
import time

import pytest

from harness.client import fetch
from harness.serve import ServeNode

TALKS = """export default { async fetch(request) {
  const { pathname } = new URL(request.url);
  console.log("asked for", pathname);
  if (pathname === "/throw") throw new TypeError("to be found");
  return new Response("ok");
} }"""
OBSERVED = {"observability": {"enabled": True}}
WITHIN_S = 15.0

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve()


def logs(node, name, query="", *, least=0):
    """Return the events, once there are as many."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        found = node.result("GET", f"/workers/scripts/{name}/logs{query}")["events"]
        if len(found) >= least:
            return found
        assert time.monotonic() < deadline, node.output
        time.sleep(0.05)


def test_events_are_kept_though_nobody_listens_and_found_by_words(node):
    node.deploy("seen", TALKS, **OBSERVED)
    node.get("seen", "/one")
    node.get("seen", "/throw")
    events = logs(node, "seen", least=2)
    assert [one["outcome"] for one in events] == ["ok", "exception"]
    assert events[0]["logs"][0]["message"] == ["asked for", "/one"]
    found = logs(node, "seen", "?search=to+be+found&since=1h&outcome=exception")
    assert [one["exceptions"][0]["name"] for one in found] == ["TypeError"]
    assert node.call("GET", "/workers/scripts/seen/logs?since=x").status == 400
    assert node.call("GET", "/workers/scripts/nobody/logs").status == 404


def test_a_worker_that_is_not_observed_has_none_until_it_is(node):
    node.deploy("quiet", TALKS)
    node.get("quiet")
    path = "/workers/scripts/quiet/script-settings"
    node.result("PATCH", path, OBSERVED)
    node.get("quiet", "/later")
    (event,) = logs(node, "quiet", least=1)
    assert event["logs"][0]["message"] == ["asked for", "/later"]


def test_logs_survive_a_killed_node(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = ServeNode(tmp_path / "a", ["--data-dir", str(tmp_path / "d")]).ready()
    try:
        first.deploy("seen", TALKS, **OBSERVED)
        first.get("seen", "/before")
        logs(first, "seen", least=1)
        token = first.api.token
        account = first.api.account
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
    finally:
        first.close()
    second = ServeNode(tmp_path / "b", ["--data-dir", str(tmp_path / "d")])
    try:
        second.wait_for_line(r"^Ready on (https?://\S+)")
        url = second.wait_for_line(r"^Control API on (\S+)")[1]
        answer = _get(f"{url}/accounts/{account}/workers/scripts/seen/logs", token)
        (event,) = answer["result"]["events"]
        assert event["logs"][0]["message"] == ["asked for", "/before"]
    finally:
        second.close()


def _get(url, token):
    return fetch(url, headers={"authorization": f"Bearer {token}"}).json()
