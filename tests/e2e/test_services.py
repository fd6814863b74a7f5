"""Service bindings between projects of one run."""

import pytest

from harness import Node, Nodes
from harness.project import write

CALLER = """
    import { WorkerEntrypoint } from "cloudflare:workers";

    export default {
      async fetch(request: Request, env: any): Promise<Response> {
        const { pathname } = new URL(request.url);
        if (pathname === "/fetch") {
          return env.BACKEND.fetch("https://backend/path?q=1", {
            method: "POST", body: "payload",
          });
        }
        if (pathname === "/rpc") return Response.json(await env.BACKEND.add(40, 2));
        if (pathname === "/named") return new Response(await env.ADMIN.greet("you"));
        if (pathname === "/props") return Response.json(await env.ADMIN.props());
        if (pathname === "/back") return new Response(await env.BACKEND.callsBack());
        if (pathname === "/error") {
          try {
            await env.BACKEND.fails();
          } catch (error) {
            return new Response(`${error.name}: ${error.message}`);
          }
        }
        if (pathname === "/callback") {
          const seen: number[] = [];
          await env.BACKEND.count(3, (n: number) => { seen.push(n); });
          return Response.json(seen);
        }
        if (pathname === "/object") {
          using counter = await env.BACKEND.newCounter(10);
          await counter.increment();
          return Response.json(await counter.increment());
        }
        return new Response("caller");
      },
    };

    export class Back extends WorkerEntrypoint {
      hello() { return "hello from the caller"; }
    }
"""
BACKEND = """
    import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";

    class Counter extends RpcTarget {
      #n: number;
      constructor(n: number) { super(); this.#n = n; }
      increment() { return ++this.#n; }
    }

    export default class Backend extends WorkerEntrypoint<any> {
      async fetch(request: Request): Promise<Response> {
        const body = await request.text();
        return Response.json([request.method, request.url, body]);
      }
      add(a: number, b: number) { return a + b; }
      fails() { throw new RangeError("no such thing"); }
      async count(to: number, tell: (n: number) => Promise<void>) {
        for (let n = 1; n <= to; n++) await tell(n);
      }
      newCounter(n: number) { return new Counter(n); }
      callsBack() { return this.env.CALLER.hello(); }
    }

    export class Admin extends WorkerEntrypoint {
      greet(name: string) { return `hello ${name}, from Admin`; }
      props() { return (this.ctx as any).props; }
    }
"""
CALLER_TOML = """
name = "caller"
main = "index.ts"
compatibility_date = "2026-01-01"
services = [
  { binding = "BACKEND", service = "backend" },
  { binding = "ADMIN", service = "backend", entrypoint = "Admin", props = { a = 1 } },
]
"""
BACKEND_TOML = """
name = "backend"
main = "index.ts"
compatibility_date = "2026-01-01"
services = [{ binding = "CALLER", service = "caller", entrypoint = "Back" }]
"""
PROJECT = {
    "caller/wrangler.toml": CALLER_TOML,
    "caller/index.ts": CALLER,
    "backend/wrangler.toml": BACKEND_TOML,
    "backend/index.ts": BACKEND,
}
CONFIGS = ("--config", "caller/wrangler.toml", "--config", "backend/wrangler.toml")


@pytest.fixture(scope="module")
def pair(shared_dev: Nodes) -> Node:
    return shared_dev(PROJECT, *CONFIGS)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param(
            "/fetch", ["POST", "https://backend/path?q=1", "payload"], id="fetch"
        ),
        pytest.param("/rpc", 42, id="rpc"),
        pytest.param("/props", {"a": 1}, id="props"),
        pytest.param("/callback", [1, 2, 3], id="callback"),
        pytest.param("/object", 12, id="object by reference"),
    ],
)
def test_call_reaches_the_other_worker(pair: Node, path: str, expected: object) -> None:
    assert pair.request(path).json() == expected


def test_named_entrypoint(pair: Node) -> None:
    assert pair.request("/named").text == "hello you, from Admin"


def test_workers_bind_each_other(pair: Node) -> None:
    """Two Workers may call each other."""
    assert pair.request("/back").text == "hello from the caller"


def test_exception_crosses_with_name_and_message(pair: Node) -> None:
    assert pair.request("/error").text == "RangeError: no such thing"


def test_first_config_gets_the_clients(pair: Node) -> None:
    assert pair.request("/").text == "caller"


def test_table_names_the_worker_of_each_binding(pair: Node) -> None:
    pair.wait_for_line(r"caller +env\.ADMIN +service +backend#Admin")


def test_missing_worker_is_a_clear_error(dev: Nodes) -> None:
    """The run starts; the call says which Worker is missing, and how to add it."""
    node = dev(PROJECT, "--config", "caller/wrangler.toml")
    answer = node.request("/fetch")
    assert answer.status == 500
    assert "env.BACKEND: the Worker 'backend' is not part of this run" in answer.text
    assert "--config" in answer.text
    answer = node.request("/rpc")
    assert answer.status == 500
    assert "the Worker 'backend' is not part of this run" in answer.text


def test_save_in_the_second_project_reloads(dev: Nodes) -> None:
    node = dev(PROJECT, *CONFIGS)
    node.reload("backend/index.ts", BACKEND.replace("a + b", "a * b"))
    assert node.request("/rpc").json() == 80


def test_two_workers_of_one_name(dev: Nodes) -> None:
    """The second is refused, with the place of its name."""
    project = dev.folder(PROJECT)
    write(project, {"backend/wrangler.toml": BACKEND_TOML.replace("backend", "caller")})
    node = dev.launch(project, *CONFIGS)
    node.wait_for_line("two Workers have the name 'caller'")
