"""The Cache API as a Worker has it in dev."""

import pytest

from harness import Node, Nodes, worker

CODE = """
    let made = 0;
    export default {
      async fetch(request: Request, env: unknown, ctx: ExecutionContext) {
        const url = new URL(request.url);
        const name = url.searchParams.get("name");
        const cache = name ? await caches.open(name) : caches.default;
        const key = new Request("https://example.com" + url.pathname);
        if (request.method === "DELETE") return Response.json(await cache.delete(key));
        const hit = await cache.match(key);
        if (hit) return hit;
        const response = new Response(`made ${++made}`, {
          headers: { "cache-control": "max-age=60" },
        });
        await cache.put(key, response.clone());
        return response;
      },
    };
"""


@pytest.fixture(scope="module")
def cache(shared_dev: Nodes) -> Node:
    return shared_dev(worker(CODE))


def test_second_request_is_a_hit(cache: Node) -> None:
    first, second = cache.request("/twice"), cache.request("/twice")
    assert first.text == second.text
    assert first.headers["cf-cache-status"] is None
    assert second.headers["cf-cache-status"] == "HIT"


def test_delete_makes_a_miss(cache: Node) -> None:
    first = cache.request("/deleted")
    assert cache.request("/deleted", method="DELETE").json() is True
    assert cache.request("/deleted", method="DELETE").json() is False
    assert cache.request("/deleted").text != first.text


def test_named_caches_are_apart(cache: Node) -> None:
    named = cache.request("/apart?name=mine")
    assert cache.request("/apart").text != named.text
    assert cache.request("/apart?name=mine").text == named.text


def test_kept_over_reload_and_restart(dev: Nodes) -> None:
    node = dev(worker(CODE))
    node.request("/")
    node.reload("index.ts", CODE.replace("max-age=60", "max-age=61"))
    assert node.request("/").headers["cf-cache-status"] == "HIT"
    node.restart()
    assert node.request("/").headers["cf-cache-status"] == "HIT"
