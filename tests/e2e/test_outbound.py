"""The Worker's way out: mapped origins, the origin behind it, and what is refused."""

from collections.abc import Iterator

import pytest

from harness import Node, Nodes, Origin, worker

CODE = """
    export default {
      async fetch(request: Request): Promise<Response> {
        const target = new URL(request.url).searchParams.get("to");
        try {
          if (target === null) return await fetch(request);
          return await fetch(target, {
            method: request.method, body: request.body, headers: { "x-from": "worker" },
          });
        } catch (error) {
          return new Response(`${error.name}: ${error.message}`, { status: 502 });
        }
      },
    };
"""


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with Origin("from the origin", {"x-origin": "yes"}) as running:
        yield running


@pytest.fixture(scope="module")
def mapped(shared_dev: Nodes, origin: Origin) -> Node:
    return shared_dev(
        worker(CODE),
        "--origin",
        f"api.example.com={origin.url}",
        "--origin",
        "dead.example.com=http://127.0.0.1:1",
        "--upstream",
        f"{origin.url}/base",
    )


def test_mapped_host(mapped: Node, origin: Origin) -> None:
    """--origin takes both schemes, path, method, headers and body along."""
    answer = mapped.request("/?to=https://api.example.com/a/b%3Fq=1", body="payload")
    assert answer.text == "from the origin"
    assert answer.headers["x-origin"] == "yes"
    seen = origin.requests[-1]
    assert (seen.method, seen.path, seen.body) == ("POST", "/a/b?q=1", b"payload")
    assert seen.headers["x-from"] == "worker"
    assert seen.headers["x-forwarded-host"] == "api.example.com"


def test_own_host_goes_upstream(mapped: Node, origin: Origin) -> None:
    """fetch(request) reaches the origin behind the Worker, below its path."""
    answer = mapped.request("/page?q=1", headers={"x-client": "kept"})
    assert answer.text == "from the origin"
    seen = origin.requests[-1]
    assert (seen.method, seen.path) == ("GET", "/base/page?q=1")
    assert seen.headers["x-client"] == "kept"


def test_dead_origin(mapped: Node) -> None:
    """The error names the host and its origin."""
    answer = mapped.request("/?to=http://dead.example.com/")
    assert answer.status == 502
    assert "fetch to dead.example.com failed" in answer.text
    assert "http://127.0.0.1:1" in answer.text


@pytest.fixture(scope="module")
def alone(shared_dev: Nodes) -> Node:
    return shared_dev(worker(CODE))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:9", "localhost:9", "10.0.0.1", "192.168.0.1", "169.254.169.254"],
)
def test_private_address(alone: Node, host: str) -> None:
    """The error names host, rule and remedy, and is never `internal error`."""
    answer = alone.request(f"/?to=http://{host}/")
    assert answer.status == 502
    assert answer.text.startswith(f"Error: fetch to {host} failed:")
    assert "public addresses only" in answer.text
    assert f"--origin {host}=" in answer.text
    assert "internal error" not in answer.text


def test_name_that_does_not_resolve(alone: Node) -> None:
    answer = alone.request("/?to=http://nowhere.invalid/")
    assert answer.status == 502
    assert "fetch to nowhere.invalid failed" in answer.text
    assert "internal error" not in answer.text


def test_own_host_without_upstream(alone: Node) -> None:
    """A Worker that calls itself is told so; it does not call itself."""
    answer = alone.request("/")
    assert answer.status == 502
    assert "that is this Worker's own host" in answer.text
    assert "--upstream" in answer.text
