"""A node counts what its Workers do, whatever becomes of their processes."""

import os
import signal

import pytest

from harness.client import fetch

CODE = """export default { async fetch(request, env) {
  const { pathname } = new URL(request.url);
  if (pathname === "/throw") throw new Error("wanted");
  if (pathname === "/kv") await env.KV.get("x");
  return new Response("ok", { status: pathname === "/teapot" ? 418 : 200 });
} }"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve("--idle", "1")


def figures(node, name):
    told = node.call("GET", "//node/metrics").json()["result"]
    return [one for one in told["workers"] if one["script"] == name], told


def beside(node, path, token=None):
    base = node.api.url.removesuffix("/client/v4")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return fetch(base + path, headers=headers)


def test_requests_are_counted_by_version_and_survive_releases_and_sleep(node):
    node.deploy("one", CODE, [node.kv("counted")])
    for path in ("/", "/", "/teapot", "/throw", "/kv"):
        node.get("one", path)
    (first,), told = figures(node, "one")
    assert first["statuses"] == {"2xx": 3, "4xx": 1, "5xx": 1}
    assert first["exceptions"] == 1
    assert first["wall_ms"]["count"] == 5
    kinds = {one["kind"]: one for one in told["bindings"]}
    assert kinds["kv"]["calls"] == 1
    node.get("one")
    node.deploy("one", CODE + "//", [node.kv("counted")])
    node.get("one")
    counted = {one["version"]: one["requests"] for one in figures(node, "one")[0]}
    assert counted.pop(first["version"]) == 6
    assert list(counted.values()) == [1]
    node.until_asleep("one")
    found, told = figures(node, "one")
    assert {one["version"]: one["requests"] for one in found} == {
        first["version"]: 6,
        **counted,
    }
    ends = {(one["script"], one["cause"]): one["count"] for one in told["ends"]}
    assert ends["one", "asleep"] >= 1


def test_prometheus_scrapes_with_a_token_only(node):
    node.deploy("scraped", CODE, [node.kv("counted")])
    node.get("scraped")
    assert beside(node, "/metrics").status == 401
    assert beside(node, "/metrics", "wrong").status == 401
    answer = beside(node, "/metrics", node.api.token)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'worker="scraped"' in answer.text
    for kind in ("node", "front", "group"):
        assert f'kind="{kind}"' in answer.text


def test_health_needs_no_token(node):
    assert beside(node, "/healthz").text == "ok\n"
    answer = beside(node, "/readyz")
    assert answer.status == 200, answer.text
    told = answer.json()
    assert told["ready"] is True
    assert set(told["parts"]) == {"front", "catalog", "services", "disk"}


def test_ends_are_counted_by_their_cause_and_what_was_taken_stays(node):
    node.deploy("killed", CODE, [node.kv("counted")])
    node.get("killed")
    assert figures(node, "killed")[0][0]["requests"] == 1
    os.kill(node.process_of("killed")["pid"], signal.SIGKILL)
    node.wait_until(
        lambda answer: answer.text == "ok", headers={"host": "killed.localhost"}
    )
    (counted,), told = figures(node, "killed")
    assert counted["requests"] >= 2
    ends = {(one["script"], one["cause"]): one["count"] for one in told["ends"]}
    assert ends["killed", "crashed"] == 1
    process = next(one for one in told["processes"] if "killed" in one["scripts"])
    assert process["restarts"] == 1
