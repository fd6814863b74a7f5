"""Static files under `selfedge dev`: what a developer sees of them."""

import hashlib
import json

import pytest

from harness.load import load

CODE = """
    export default {
      async fetch(request, env, ctx) {
        const { pathname } = new URL(request.url);
        if (pathname === "/boom") throw new Error("it broke");
        if (pathname === "/echo") {
          return Response.json({
            colo: request.cf?.colo, ip: request.headers.get("cf-connecting-ip"),
            method: request.method, body: await request.text(),
          });
        }
        if (pathname === "/ws") {
          const [client, server] = Object.values(new WebSocketPair());
          server.accept();
          server.addEventListener("message", ({ data }) => server.send(`echo ${data}`));
          return new Response(null, { status: 101, webSocket: client });
        }
        const answer = await env.ASSETS.fetch(new URL("/about", request.url));
        return new Response(`${pathname}: ${await answer.text()}`);
      },
    };
"""


def project(code=CODE, *, files=None, **assets):
    config = {
        "name": "app",
        "compatibility_date": "2026-01-01",
        "assets": {"directory": "public", **assets},
    }
    if code:
        config["main"] = "index.js"
        config["assets"].setdefault("binding", "ASSETS")
    return {
        "wrangler.jsonc": json.dumps(config),
        **({"index.js": code} if code else {}),
        "public/index.html": "home",
        "public/about.html": "about",
        **(files or {}),
    }


@pytest.fixture(scope="module")
def node(shared_dev):
    files = {
        "public/.well-known/x": "known",
        "public/.env": "SECRET=1",
        "public/.git/config": "secret",
        "public/a/.env": "SECRET=2",
        "public/.chosen": "chosen",
        "public/.assetsignore": "private\n!.chosen\n",
        "public/private/x.txt": "private",
        "secret.txt": "outside",
        "public/large.bin": bytes(range(256)) * 4096 * 20,
    }
    return shared_dev(project(files=files))


def test_a_file_has_the_headers_of_an_answer_of_ours(node):
    answer = node.request("/")
    assert answer.text == "home"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cf-ray"]
    assert answer.headers["etag"]


def test_what_is_no_file_reaches_the_worker_as_the_edge_makes_it(node):
    for size in (10, 100_000):
        heard = node.request("/echo", method="POST", body=b"x" * size).json()
        assert heard["colo"] == "LAB"
        assert heard["ip"] == "127.0.0.1"
        assert heard["method"] == "POST"
        assert len(heard["body"]) == size
    assert node.request("/other").text == "/other: about"


def test_an_exception_of_the_worker_is_explained(node):
    answer = node.request("/boom")
    assert answer.status == 500
    assert "index.js:" in answer.text
    assert "it broke" in answer.text
    node.wait_for_line("it broke")


def test_head_and_what_was_seen_before_have_no_body(node):
    whole = node.request("/about")
    head = node.request("/about", method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == "5"
    same = node.request("/about", headers={"if-none-match": whole.headers["etag"]})
    assert (same.status, same.body) == (304, b"")
    assert same.headers["etag"] == whole.headers["etag"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_file_can_only_be_read(node, method):
    assert node.request("/about", method=method).status == 405


def test_a_large_file_comes_whole(node):
    body = node.request("/large.bin").body
    expected = hashlib.sha256(bytes(range(256)) * 4096 * 20).hexdigest()
    assert hashlib.sha256(body).hexdigest() == expected


@pytest.mark.parametrize(
    "path",
    ["/.env", "/.git/config", "/a/.env", "/private/x.txt", "/.assetsignore"],
)
def test_what_is_not_for_clients_reaches_the_worker(node, path):
    assert node.request(path).text == f"{path}: about"


def test_a_dot_is_no_hindrance_where_it_is_meant(node):
    assert node.request("/.well-known/x").text == "known"
    assert node.request("/.chosen").text == "chosen"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/a/..%2f..%2fsecret.txt",
        "/..%5csecret.txt",
        "/%2e%2e%2fsecret.txt",
        "//../secret.txt",
        "/....//secret.txt",
        "/public/../../secret.txt",
        "/secret.txt%00.html",
        "/%00",
        "/%ff%fe",
        "/%",
        "/" + "a" * 5000,
        "/" + "a/" * 2000,
    ],
)
def test_no_path_leads_out_of_the_folder(node, path):
    answer = node.request(path)
    assert b"outside" not in answer.body
    assert answer.status < 500
    assert node.request("/").text == "home"


def test_a_websocket_opens_through_the_router(node):
    headers = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version": "13",
    }
    assert node.request("/ws", headers=headers).status == 101


def test_a_saved_file_is_served_at_once(dev):
    node = dev(project())
    first = node.request("/about").headers["etag"]
    node.save("public/about.html", "about, again")
    answer = node.request("/about")
    assert answer.text == "about, again"
    assert answer.headers["etag"] != first
    node.save("public/new/page.html", "new")
    assert node.request("/new/page").text == "new"
    (node.project / "public" / "about.html").unlink()
    assert node.request("/about").text != "about, again"
    assert "Reloaded" not in node.output


def test_rules_take_effect_when_they_are_saved(dev):
    node = dev(project())
    node.reload("public/_headers", "/*\n  X-Made: 1\n")
    assert node.request("/").headers["x-made"] == "1"
    node.reload("public/_redirects", "/gone /about 301\n")
    node.reload("public/_redirects", "/gone /about 301\n/no\n")
    node.wait_for_line(r"^warn +\[app\] Found 1 invalid redirect rule")
    node.wait_for_line(r"at _redirects:2 \| /no")
    answer = node.request("/gone")
    assert (answer.status, answer.headers["location"]) == (301, "/about")


def test_a_site_needs_no_code(dev):
    node = dev(project(None, not_found_handling="404-page"))
    assert node.request("/").text == "home"
    assert node.request("/nope").status == 404
    node.save("public/404.html", "not here")
    answer = node.request("/nope")
    assert (answer.status, answer.text) == (404, "not here")


def test_the_worker_can_come_first(dev):
    node = dev(project(run_worker_first=True))
    assert node.request("/").text == "/: about"
    assert node.request("/about").text == "/about: about"


def test_a_release_loses_no_request_for_a_file(dev):
    node = dev(project())
    with load(node.url) as heard:
        for number in range(3):
            node.reload("index.js", f"{CODE}\n// {number}")
    assert [one for one in heard.failures if one != "POST: 405 "] == []
    assert set(heard.bodies("GET")) == {"home"}


def test_a_folder_that_is_missing_is_told_and_awaited(dev):
    node = dev(project())
    config = node.project / "wrangler.jsonc"
    node.save("wrangler.jsonc", config.read_text().replace("public", "dist"))
    node.wait_for_line('`assets.directory` = "dist" does not exist')
    node.wait_until(lambda answer: "dist" in answer.text)
    node.save("dist/index.html", "built")
    node.wait_until(lambda answer: answer.text == "built")


CALLEE = """
    import { WorkerEntrypoint } from "cloudflare:workers";
    export default class extends WorkerEntrypoint {
      greet(name) { return `hello ${name}`; }
      fetch(request) { return new Response(`code ${new URL(request.url).pathname}`); }
    }
"""
CALLER = """
    export default { async fetch(request, env) {
      const asked = async (path) => (await env.SITE.fetch(`http://any${path}`)).text();
      const found = [await asked("/about"), await asked("/x"), await asked("/")];
      return Response.json([...found, await env.SITE.greet("you")]);
    } }
"""


def test_a_call_from_another_worker_reaches_files_and_code(dev):
    config = {
        "name": "caller",
        "main": "caller.js",
        "compatibility_date": "2026-01-01",
        "services": [{"binding": "SITE", "service": "app"}],
    }
    files = {
        **project(CALLEE),
        "caller.js": CALLER,
        "caller.json": json.dumps(config),
    }
    node = dev(files, "--config", "caller.json", "--config", "wrangler.jsonc")
    assert node.request().json() == ["about", "code /x", "home", "hello you"]


def test_a_build_command_can_make_the_site(dev):
    config = {
        "name": "app",
        "compatibility_date": "2026-01-01",
        "build": {"command": "mkdir -p dist && cp page.txt dist/index.html"},
        "assets": {"directory": "dist"},
    }
    node = dev({"wrangler.jsonc": json.dumps(config), "page.txt": "built"})
    assert node.request("/").text == "built"
