"""`selfedge deploy` and the commands around it, against a node of `serve`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness import worker
from harness.project import write

COMMAND = Path(sys.executable).with_name("selfedge")
CODE = """
    import { DurableObject } from "cloudflare:workers";
    export class Counter extends DurableObject {
      async count() {
        const n = ((await this.ctx.storage.get<number>("n")) ?? 0) + 1;
        await this.ctx.storage.put("n", n);
        return n;
      }
    }
    export default {
      async fetch(request: Request, env: any) {
        await env.KV.put("key", "kept");
        const counter = env.COUNTER.get(env.COUNTER.idFromName("one"));
        return Response.json({
          text: "TEXT", greeting: env.GREETING, list: env.LIST,
          kv: await env.KV.get("key"), count: await counter.count(),
          secret: env.SECRET ?? null, version: env.VERSION.tag,
        });
      },
    };
"""
CONFIG = """
    [vars]
    GREETING = "hello"
    LIST = [1, 2]

    [[kv_namespaces]]
    binding = "KV"

    [version_metadata]
    binding = "VERSION"

    [[durable_objects.bindings]]
    name = "COUNTER"
    class_name = "Counter"

    [[migrations]]
    tag = "v1"
    new_sqlite_classes = ["Counter"]

    [env.staging]
    vars = { GREETING = "staged" }
"""


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve()


@pytest.fixture
def run(node, tmp_path):
    environ = {
        **{k: v for k, v in os.environ.items() if not k.startswith("CLOUDFLARE_")},
        "HOME": str(tmp_path),
        "SELFEDGE_CACHE_DIR": os.environ.get(
            "SELFEDGE_CACHE_DIR", str(Path.home() / ".cache" / "selfedge")
        ),
        "SELFEDGE_URL": node.api.url,
        "SELFEDGE_TOKEN": node.api.token,
    }

    def invoke(*arguments, code=0, stdin=""):
        done = subprocess.run(
            [COMMAND, *arguments],
            cwd=tmp_path,
            env=environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout if code == 0 else done.stderr

    return invoke


def test_the_whole_life_of_a_worker(run, node, tmp_path):
    write(tmp_path, worker(CODE, CONFIG, name="life"))
    said = run("deploy", "--tag", "first", "--message", "the first")
    assert "Current Version ID: " in said
    assert "http://life" in said
    heard = node.get("life").json()
    assert heard == {
        "text": "TEXT",
        "greeting": "hello",
        "list": [1, 2],
        "kv": "kept",
        "count": 1,
        "secret": None,
        "version": "first",
    }

    assert run("kv", "key", "get", "key", "--binding", "KV") == "kept"

    run("secret", "put", "SECRET", stdin="hush\n")
    assert node.get("life").json()["secret"] == "hush"
    assert json.loads(run("secret", "list", "--json")) == [
        {"name": "SECRET", "type": "secret_text"}
    ]

    write(tmp_path, worker(CODE.replace("TEXT", "SECOND"), CONFIG, name="life"))
    done = json.loads(run("deploy", "--json", "--var", "GREETING:changed"))
    heard = node.get("life").json()
    assert (heard["text"], heard["greeting"]) == ("SECOND", "changed")
    assert (heard["secret"], heard["count"]) == ("hush", 3)

    write(tmp_path, worker(CODE.replace("TEXT", "THIRD"), CONFIG, name="life"))
    third = json.loads(run("versions", "upload", "--json", "--message", "third"))["id"]
    assert node.get("life").json()["text"] == "SECOND"
    listed = json.loads(run("versions", "list", "--json"))
    assert [one["id"] for one in listed][:2] == [third, done["version_id"]]
    assert "third" in run("versions", "list")
    assert "hush" not in run("versions", "view", third)

    run("versions", "deploy", f"{third}@100", "--yes")
    assert node.get("life").json()["text"] == "THIRD"
    run("versions", "deploy", f"{third}@60", f"{done['version_id']}@40", "-y")
    status = json.loads(run("deployments", "status", "--json"))
    assert {one["percentage"] for one in status["versions"]} == {60, 40}
    run("versions", "deploy", third, "-y")

    run("rollback", done["version_id"], "-y", "--message", "back")
    assert node.get("life").json()["text"] == "SECOND"
    assert "back" in run("deployments", "list")

    (tmp_path / "secrets.json").write_text('{"SECRET": null, "OTHER": "x"}')
    run("versions", "deploy", third, "-y")
    run("secret", "bulk", "secrets.json")
    assert node.get("life").json()["secret"] is None
    run("secret", "delete", "OTHER", "-y")
    assert json.loads(run("secret", "list", "--json")) == []

    run("versions", "secret", "put", "LATER", "--tag", "quiet", stdin="later")
    assert run("versions", "secret", "list") == "LATER\n"
    assert json.loads(run("secret", "list", "--json")) == []
    run("versions", "secret", "delete", "LATER", "-y")
    assert json.loads(run("versions", "secret", "list", "--json")) == []

    assert "life" in run("status")
    run("delete", "-y")
    assert node.get("life").status == 404
    assert "not" in run("delete", "-y", code=2)


def test_an_environment_is_a_worker_of_its_own(run, node, tmp_path):
    code = "export default { fetch: (r, env) => new Response(env.GREETING) };"
    config = """
        vars = { GREETING = "hello" }
        [env.staging]
        vars = { GREETING = "staged" }
    """
    write(tmp_path, worker(code, config, name="envs"))
    run("deploy")
    run("deploy", "--env", "staging")
    assert node.get("envs").text == "hello"
    assert node.get("envs-staging").text == "staged"


def test_a_dry_run_calls_nobody_and_shows_what_it_would(run, tmp_path):
    write(tmp_path, worker(CODE, CONFIG, name="dry"))
    said = run("deploy", "--dry-run", "--outdir", "out")
    assert "gzip" in said
    assert "env.COUNTER" in said
    assert "TEXT" in (tmp_path / "out" / "dry.js").read_text()
    assert "dry" not in run("status")


def test_code_that_does_not_start_is_shown_at_its_place(run, node, tmp_path):
    write(tmp_path, worker("throw new Error('at the start');\nexport default {};"))
    said = run("deploy", code=2)
    assert "at the start" in said


def test_routes_and_schedules_come_from_the_file(run, node, tmp_path):
    run("zone", "add", "shop.example")
    code = "export default { fetch: () => new Response('routed') };"
    config = """
        routes = ["shop.example/api/*"]
        [triggers]
        crons = ["*/5 * * * *"]
    """
    write(tmp_path, worker(code, config, name="routed"))
    said = run("deploy")
    assert "shop.example/api/*" in said
    assert "schedule: */5 * * * *" in said
    heard = node.request("/api/x", headers={"host": "shop.example"})
    assert heard.text == "routed"
    assert node.get("routed").status == 404
    assert "Add it on the node" in run(
        "deploy", "--config", _other_zone(tmp_path), code=2
    )


def _other_zone(folder):
    write(folder / "other", worker("export default {};", 'route = "no.example/*"'))
    return str(folder / "other" / "wrangler.toml")


def test_static_files_are_uploaded_once(run, node, tmp_path):
    files = {
        "public/index.html": "<h1>first</h1>",
        "public/a b/é.txt": "text",
        "public/pixel.bin": bytes(range(256)) * 400,
        "public/left.out": "x",
        "public/.assetsignore": "*.out\n",
        "public/_headers": "/*\n  X-Own: yes\n",
    }
    code = "export default { fetch: () => new Response('code') };"
    config = """
        [assets]
        directory = "public"
        binding = "ASSETS"
    """
    write(tmp_path, worker(code, config, name="files", files=files))
    run("deploy")
    assert node.get("files").text == "<h1>first</h1>"
    assert node.get("files").headers["X-Own"] == "yes"
    assert node.get("files", "/a%20b/%C3%A9.txt").text == "text"
    assert node.get("files", "/pixel.bin").body == files["public/pixel.bin"]
    assert node.get("files", "/left.out").text == "code"
    write(tmp_path, {"public/index.html": "<h1>second</h1>"})
    run("deploy")
    assert node.get("files").text == "<h1>second</h1>"


def test_a_site_needs_no_code(run, node, tmp_path):
    files = {"site/index.html": "<h1>alone</h1>"}
    wrangler = 'name = "site"\ncompatibility_date = "2026-01-01"\n'
    files["wrangler.toml"] = wrangler + '[assets]\ndirectory = "site"\n'
    write(tmp_path, files)
    assert "Static files only" in run("deploy")
    assert node.get("site").text == "<h1>alone</h1>"


def test_a_queue_is_made_and_its_consumer_attached(run, node, tmp_path):
    code = """
        export default {
          async fetch(request: Request, env: any) {
            if (request.method === "POST") await env.QUEUE.send(await request.text());
            return new Response(await env.KV.get("got"));
          },
          async queue(batch: any, env: any) {
            await env.KV.put("got", batch.messages[0].body);
          },
        };
    """
    config = """
        [[kv_namespaces]]
        binding = "KV"
        [[queues.producers]]
        binding = "QUEUE"
        queue = "made-by-deploy"
        [[queues.consumers]]
        queue = "made-by-deploy"
        max_batch_timeout = 0
    """
    write(tmp_path, worker(code, config, name="queued"))
    assert "queue: made-by-deploy" in run("deploy")
    assert "queue: made-by-deploy" in run("deploy")
    node.get("queued", method="POST", body="a message")
    host = {"host": "queued.localhost"}
    node.wait_until(lambda answer: answer.text == "a message", headers=host)
