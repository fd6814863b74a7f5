"""KV as a Worker has it in dev."""

import time

import pytest

from harness import Node, Nodes, worker

CODE = """
    export default {
      async fetch(request: Request, env: any): Promise<Response> {
        const url = new URL(request.url);
        const key = decodeURIComponent(url.pathname.slice(1));
        const options = Object.fromEntries(url.searchParams);
        if (url.pathname === "/") return Response.json(await env.KV.list(options));
        if (url.pathname === "/big") {
          try {
            await env.KV.put("big", new Uint8Array(30 * 1024 * 1024));
          } catch (error) {
            return new Response(error.message);
          }
          return new Response("stored");
        }
        switch (request.method) {
          case "PUT":
            const metadata = options.metadata && JSON.parse(options.metadata);
            await env.KV.put(key, request.body, { ...options, metadata });
            return new Response(null, { status: 204 });
          case "DELETE":
            await env.KV.delete(key);
            return new Response(null, { status: 204 });
        }
        const found = await env.KV.getWithMetadata(key, "arrayBuffer");
        if (found.value === null) return new Response("absent", { status: 404 });
        const headers = { metadata: JSON.stringify(found.metadata) };
        return new Response(found.value, { headers });
      },
    };
"""
TABLE = """
    [[kv_namespaces]]
    binding = "KV"
    id = "0123456789"
"""


@pytest.fixture(scope="module")
def kv(shared_dev: Nodes) -> Node:
    return shared_dev(worker(CODE, TABLE))


def test_put_get_delete(kv: Node) -> None:
    """What was put is there with its metadata until it is deleted."""
    path = "/a%2Fb%20%C3%A9"
    assert kv.request(path).status == 404
    stored = kv.request(path + "?metadata=%22mine%22", method="PUT", body="value")
    assert stored.status == 204
    answer = kv.request(path)
    assert answer.text == "value"
    assert answer.headers["metadata"] == '"mine"'
    kv.request(path, method="DELETE")
    assert kv.request(path).status == 404


def test_list_by_prefix_with_cursor(kv: Node) -> None:
    """Pages follow one another in the order of keys, with expirations."""
    for number in range(3):
        kv.request(f"/list:{number}?expirationTtl=3600", method="PUT", body="x")
    first = kv.request("/?prefix=list:&limit=2").json()
    assert [key["name"] for key in first["keys"]] == ["list:0", "list:1"]
    assert not first["list_complete"]
    expected = time.time() + 3600
    assert all(abs(key["expiration"] - expected) < 60 for key in first["keys"])
    rest = kv.request(f"/?prefix=list:&limit=2&cursor={first['cursor']}").json()
    assert [key["name"] for key in rest["keys"]] == ["list:2"]
    assert rest["list_complete"]


def test_value_over_25_mib(kv: Node) -> None:
    """The error is Cloudflare's."""
    expected = "KV PUT failed: 413 Value length of 31457280 exceeds limit of 26214400."
    assert kv.request("/big").text == expected


def test_large_value_is_stored(kv: Node) -> None:
    value = bytes(range(256)) * 4096 * 20
    kv.request("/large", method="PUT", body=value)
    assert kv.request("/large").body == value


def test_kept_over_a_restart(dev: Nodes) -> None:
    """State is in the project's folder, and is there again."""
    node = dev(worker(CODE, TABLE))
    node.request("/kept", method="PUT", body="value")
    node.restart()
    assert node.request("/kept").text == "value"


def test_state_dir(dev: Nodes) -> None:
    """--state-dir puts it elsewhere: the project's folder stays clean."""
    node = dev(worker(CODE, TABLE), "--state-dir", "elsewhere")
    node.request("/kept", method="PUT", body="value")
    node.stop()
    assert (node.project / "elsewhere").is_dir()
    assert not (node.project / ".selfedge").exists()
