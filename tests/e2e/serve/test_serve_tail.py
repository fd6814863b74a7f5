"""wrangler tail, unmodified, hears what a deployed Worker does."""

import contextlib
import json
import os
import signal
import subprocess
import time

import pytest

from harness.client import fetch
from harness.wrangler import Wrangler

TALKS = """export default { async fetch(request, env, ctx) {
  const { pathname } = new URL(request.url);
  console.log("asked", pathname, { deep: [1, 2] });
  if (pathname === "/throw") throw new TypeError("said at the tail");
  return new Response("ok", { status: pathname === "/teapot" ? 418 : 200 });
} }"""
LISTENS_S = 30.0


@pytest.fixture(scope="module")
def wrangler(tmp_path_factory):
    return Wrangler.installed(tmp_path_factory.mktemp("wrangler"))


@pytest.fixture(scope="module")
def node(shared_serve):
    node = shared_serve()
    node.deploy("talks", TALKS)
    return node


@contextlib.contextmanager
def tail(node, wrangler, *options):
    """Run wrangler tail; yield a function that waits for n events."""
    process = wrangler.start(node.api, "tail", "talks", "--format", "json", *options)
    heard = []
    os.set_blocking(process.stdout.fileno(), False)

    def events(count, path="/"):
        text = ""
        deadline = time.monotonic() + LISTENS_S
        while len(heard) < count:
            assert time.monotonic() < deadline, text
            node.get("talks", path)
            time.sleep(0.3)
            with contextlib.suppress(BlockingIOError):
                text += os.read(process.stdout.fileno(), 1 << 20).decode()
            heard[:] = _objects(text)
        return heard

    try:
        yield events
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _objects(text):
    """Return the JSON objects in a text, one after the other."""
    decoder, found, position = json.JSONDecoder(), [], 0
    while (start := text.find("{", position)) >= 0:
        try:
            value, position = decoder.raw_decode(text, start)
        except json.JSONDecodeError:
            break
        found.append(value)
    return found


def test_requests_logs_and_versions_arrive(node, wrangler):
    with tail(node, wrangler) as events:
        event = events(1, "/teapot?x=1")[0]
    assert event["outcome"] == "ok"
    assert event["scriptName"] == "talks"
    assert event["logs"], json.dumps(event)
    assert event["logs"][0]["message"] == ["asked", "/teapot", {"deep": [1, 2]}]
    assert len(event["logs"]) == 1
    request = event["event"]["request"]
    assert request["url"] == "http://talks.localhost/teapot?x=1"
    assert request["headers"]["cf-connecting-ip"] == "127.0.0.1"
    assert "-" in request["headers"]["cf-ray"]
    assert event["event"]["response"] == {"status": 418}
    listed = node.result("GET", "/workers/scripts/talks/versions")["items"]
    assert event["scriptVersion"]["id"] in {one["id"] for one in listed}


def test_exceptions_arrive_and_filters_hold(node, wrangler):
    with tail(node, wrangler, "--status", "error", "--method", "GET") as events:
        event = events(1, "/throw")[0]
        node.get("talks", "/fine")
        assert {one["outcome"] for one in events(2, "/throw")} == {"exception"}
    assert event["exceptions"][0]["name"] == "TypeError"
    assert event["exceptions"][0]["message"] == "said at the tail"


def test_nobody_listens_afterwards(node, wrangler):
    with tail(node, wrangler) as events:
        events(1)
    deadline = time.monotonic() + 10
    while node.result("GET", "/workers/scripts/talks/tails"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert node.get("talks").text == "ok"


def test_the_url_of_a_tail_is_needed(node):
    answer = node.call("GET", "//node/status")
    assert answer.status == 200
    base = node.api.url.removesuffix("/client/v4")
    assert fetch(f"{base}/tails/nothing").status == 404
