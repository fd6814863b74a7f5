"""selfedge logs and selfedge tail show what a Worker does."""

import contextlib
import json
import os
import signal
import subprocess
import time

import pytest

from harness.node import COMMAND

TALKS = """export default { fetch(request) {
  console.log("asked for", new URL(request.url).pathname);
  return new Response("ok");
} }"""
WITHIN_S = 20.0

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def node(shared_serve):
    node = shared_serve()
    node.deploy("talks", TALKS, observability={"enabled": True})
    return node


def command(node, *words):
    api = node.api
    environ = {
        **os.environ,
        "SELFEDGE_URL": api.url,
        "SELFEDGE_TOKEN": api.token,
        "SELFEDGE_ACCOUNT": api.account,
    }
    return subprocess.Popen(
        [COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
        text=True,
    )


def output(node, *words):
    out, err = command(node, *words).communicate(timeout=WITHIN_S)
    return out, err


def test_logs_are_searched_and_shown(node):
    node.get("talks", "/first")
    node.get("talks", "/second")
    deadline = time.monotonic() + WITHIN_S
    out = ""
    while "second" not in out:
        assert time.monotonic() < deadline, out
        out, _ = output(node, "logs", "talks", "--since", "1h")
    assert "GET http://talks.localhost/first 200 - Ok @ " in out
    assert "  (log) asked for /first\n" in out
    out, _ = output(node, "logs", "talks", "--search", "second", "--json")
    (event,) = map(json.loads, out.splitlines())
    assert event["outcome"] == "ok"
    out, err = output(node, "logs", "talks", "--since", "soon")
    assert out == ""
    assert "is no moment" in err


def test_tail_hears_what_passes_its_filters_until_it_is_interrupted(node):
    tail = command(node, "tail", "talks", "--search", "/wanted", "--format", "pretty")
    try:
        assert "Listening" in tail.stderr.readline()
        os.set_blocking(tail.stdout.fileno(), False)
        text, deadline = "", time.monotonic() + WITHIN_S
        while "(log)" not in text:
            assert time.monotonic() < deadline, text
            node.get("talks", "/other")
            node.get("talks", "/wanted")
            with contextlib.suppress(BlockingIOError):
                text += os.read(tail.stdout.fileno(), 65536).decode()
            time.sleep(0.1)
        assert "/wanted" in text
        assert "/other" not in text
        tail.send_signal(signal.SIGINT)
        assert tail.wait(WITHIN_S) == 0
    finally:
        tail.kill()
        tail.communicate()
    assert node.result("GET", "/workers/scripts/talks/tails") == []


def test_a_worker_that_is_not_there_is_told(node):
    for words in (("tail", "nobody"), ("logs", "nobody")):
        out, err = output(node, *words)
        assert out == ""
        assert "nobody" in err
        assert "Traceback" not in err
