"""What a developer sees when their code is wrong."""

from textwrap import dedent

import pytest

from harness import Node, Nodes, worker

THROWS = """
    import { DurableObject } from "cloudflare:workers";

    function deep(message: string): never {
      throw new RangeError(message);
    }

    export class Thrower extends DurableObject<any> {
      fails() { deep("in the object"); }
      async plan() { await this.ctx.storage.setAlarm(Date.now()); }
      async alarm() { deep("in the alarm"); }
    }

    export default {
      async fetch(request: Request, env: any, ctx: ExecutionContext) {
        const { pathname } = new URL(request.url);
        if (pathname === "/throws") deep("in the handler");
        if (pathname === "/text") throw "just text";
        if (pathname === "/nothing") return undefined;
        if (pathname === "/object") await env.THROWER.getByName("a").fails();
        if (pathname === "/alarm") await env.THROWER.getByName("a").plan();
        if (pathname === "/background") {
          ctx.waitUntil((async () => deep("in the background"))());
        }
        if (pathname === "/says") {
          console.log("words", { a: 1 });
          console.warn("a warning");
          console.error(new Error("logged"));
          console.debug("details");
        }
        return new Response("fine");
      },
    };
"""
WRANGLER = """
    [[durable_objects.bindings]]
    name = "THROWER"
    class_name = "Thrower"
    [[migrations]]
    tag = "v1"
    new_sqlite_classes = ["Thrower"]
"""


@pytest.fixture(scope="module")
def thrower(shared_dev: Nodes) -> Node:
    return shared_dev(worker(THROWS, WRANGLER), "--log-level", "debug")


def test_exception_as_text(thrower: Node) -> None:
    """Status 500, and the place in the TypeScript file."""
    answer = thrower.request("/throws")
    assert answer.status == 500
    assert answer.headers["content-type"].startswith("text/plain")
    assert "RangeError: in the handler" in answer.text
    assert "index.ts:5:9" in answer.text
    assert "selfedge" not in answer.text.replace("selfedge dev", "")


def test_exception_as_html(thrower: Node) -> None:
    answer = thrower.request("/throws", headers={"accept": "text/html,*/*"})
    assert answer.status == 500
    assert answer.headers["content-type"].startswith("text/html")
    assert "<h1>RangeError: in the handler</h1>" in answer.text
    assert "index.ts:5:9" in answer.text


def test_exception_as_json(thrower: Node) -> None:
    answer = thrower.request("/throws", headers={"accept": "application/json"})
    assert answer.status == 500
    error = answer.json()["error"]
    assert error["message"] == "RangeError: in the handler"
    assert any("index.ts:5:9" in line for line in error["detail"])


def test_exception_in_the_terminal(thrower: Node) -> None:
    """The line names the Worker; the stack is in TypeScript positions."""
    since = thrower.position
    thrower.request("/throws")
    thrower.wait_for_line(
        r"^error \[app\] Uncaught RangeError: in the handler\n.*deep.*index\.ts:5:9",
        since=since,
    )


def test_thrown_text(thrower: Node) -> None:
    answer = thrower.request("/text")
    assert answer.status == 500
    assert "just text" in answer.text


def test_no_response(thrower: Node) -> None:
    answer = thrower.request("/nothing")
    assert answer.status == 500
    assert "did not return a Response" in answer.text


def test_exception_in_an_object(thrower: Node) -> None:
    """It reaches the caller, and the terminal with its place, once."""
    since = thrower.position
    answer = thrower.request("/object")
    assert answer.status == 500
    assert "RangeError: in the object" in answer.text
    thrower.wait_for_line(
        r"Uncaught RangeError: in the object\n.*index\.ts:5:9", since=since
    )


def test_exception_in_an_alarm(thrower: Node) -> None:
    thrower.request("/alarm")
    thrower.wait_for_line(r"Uncaught RangeError: in the alarm\n.*index\.ts:5:9")


def test_exception_in_wait_until(thrower: Node) -> None:
    """The response is not affected."""
    assert thrower.request("/background").text == "fine"
    thrower.wait_for_line(r"Uncaught RangeError: in the background\n.*index\.ts:5:9")


def test_console(thrower: Node) -> None:
    """Each call is shown with its level; an Error with its TypeScript position."""
    thrower.request("/says")
    thrower.wait_for_line(r"^log   words \{ a: 1 \}")
    thrower.wait_for_line(r"^warn  a warning")
    thrower.wait_for_line(r"^error Error: logged\n.*index\.ts:28:")
    thrower.wait_for_line(r"^debug details")


STATEFUL = """
    import { DurableObject } from "cloudflare:workers";
    export class Counter extends DurableObject {
      async increment() {
        const next = ((await this.ctx.storage.get<number>("n")) ?? 0) + 1;
        await this.ctx.storage.put("n", next);
        return next;
      }
    }
    export default {
      async fetch(request: Request, env: any) {
        return Response.json(await env.COUNTER.getByName("a").increment());
      },
    };
"""
STATEFUL_TOML = WRANGLER.replace("THROWER", "COUNTER").replace("Thrower", "Counter")
STATELESS = "export default { fetch: () => Response.json(1) };\n"

broken = pytest.mark.parametrize(
    ("code", "wrangler", "expected"),
    [
        pytest.param(STATELESS, "", [1, 1], id="stateless"),
        pytest.param(STATEFUL, STATEFUL_TOML, [1, 2], id="durable"),
    ],
)


def _lines(code: str) -> int:
    return len(dedent(code).rstrip("\n").splitlines())


@broken
def test_build_error(dev: Nodes, code: str, wrangler: str, expected: list[int]) -> None:
    """File and line, in the terminal and as the response; the next save recovers."""
    node = dev(worker(code, wrangler))
    assert node.request().json() == expected[0]
    node.save("index.ts", dedent(code).rstrip("\n") + "\n\nconst x = ;\n")
    place = rf"index\.ts:{_lines(code) + 2}:11: "
    node.wait_for_line(rf"^The Worker does not build\n(.*\n)*?{place}")
    answer = node.wait_until(lambda answer: answer.status == 500)
    assert "The Worker does not build" in answer.text
    assert "const x = ;" in answer.text
    html = node.request(headers={"accept": "text/html"})
    assert html.headers["content-type"].startswith("text/html")
    node.save("index.ts", code)
    answer = node.wait_until(lambda answer: answer.status == 200)
    assert answer.json() >= expected[1]


@broken
def test_error_at_start(
    dev: Nodes, code: str, wrangler: str, expected: list[int]
) -> None:
    """A throw at the top level is shown alike, with the TypeScript position."""
    node = dev(worker(code, wrangler))
    assert node.request().json() == expected[0]
    thrown = '\n\nthrow new TypeError("at the top");\n'
    node.save("index.ts", dedent(code).rstrip("\n") + thrown)
    node.wait_for_line(r"^The Worker does not start\n.*TypeError: at the top")
    node.wait_for_line(rf"index\.ts:{_lines(code) + 2}:")
    answer = node.wait_until(lambda answer: answer.status == 500)
    assert "TypeError: at the top" in answer.text
    node.save("index.ts", code)
    answer = node.wait_until(lambda answer: answer.status == 200)
    assert answer.json() >= expected[1]


def test_broken_from_the_start(dev: Nodes) -> None:
    """Dev starts all the same, shows what is wrong, and recovers."""
    node = dev(worker("import x from './missing';\nexport default x;"))
    assert "./missing" in node.request().text
    node.save("missing.ts", STATELESS)
    answer = node.wait_until(lambda answer: answer.status == 200)
    assert answer.json() == 1


def test_wrangler_file_broken_while_running(dev: Nodes) -> None:
    files = worker(STATELESS)
    node = dev(files)
    node.save("wrangler.toml", str(files["wrangler.toml"]) + "main = 5\n")
    node.wait_for_line(r"^The wrangler file is wrong\n.*wrangler\.toml:4:")
    node.wait_until(lambda answer: answer.status == 500)
    node.save("wrangler.toml", files["wrangler.toml"])
    node.wait_until(lambda answer: answer.status == 200)
