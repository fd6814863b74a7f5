"""The whole life of a Worker, by an unmodified wrangler."""

import json
import re

import pytest

from harness.project import write
from harness.serve import ServeNode, ServeNodes
from harness.wrangler import Wrangler

ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
CODE = """
import { DurableObject } from "cloudflare:workers";

interface Env {
  COUNTER: DurableObjectNamespace<Counter>;
  KV: KVNamespace;
  VERSION: { id: string; tag: string };
  GREETING: string;
  SECRET?: string;
}

export class Counter extends DurableObject {
  async next(): Promise<number> {
    const count = ((await this.ctx.storage.get<number>("n")) ?? 0) + 1;
    await this.ctx.storage.put("n", count);
    return count;
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    await env.KV.put("last", request.url);
    const count = await env.COUNTER.get(env.COUNTER.idFromName("a")).next();
    const { GREETING: greeting, VERSION: version, SECRET: secret } = env;
    return Response.json({ greeting, count, version, secret: secret ?? null });
  },
};
"""
BROKEN = """interface Config { inner?: { value: number } }
const config: Config = {};

console.log((config as any).inner.value);
export default { fetch: () => new Response("never") };
"""


def project(greeting="one", name="life", **more):
    """Return the files of a Worker with KV, a Durable Object, a variable."""
    config = {
        "name": name,
        "main": "index.ts",
        "compatibility_date": "2026-10-01",
        "vars": {"GREETING": greeting},
        "kv_namespaces": [{"binding": "KV"}],
        "durable_objects": {"bindings": [{"name": "COUNTER", "class_name": "Counter"}]},
        "migrations": [{"tag": "v1", "new_sqlite_classes": ["Counter"]}],
        "version_metadata": {"binding": "VERSION"},
        **more,
    }
    return {"index.ts": CODE, "wrangler.jsonc": json.dumps(config)}


@pytest.fixture(scope="module")
def node(shared_serve: ServeNodes) -> ServeNode:
    return shared_serve()


@pytest.fixture
def wrangler(node, tmp_path):
    """Run a command that must succeed, and return what it printed."""
    installed = Wrangler.installed(tmp_path)

    def run(*arguments, given=None, code=0):
        done = installed(node.api, *arguments, given=given)
        assert done.code == code, done.text
        return done.text

    return run


def ask(node, name="life"):
    return node.get(f"{name}.local").json()


def find(pattern, text):
    match = re.search(pattern, text, re.MULTILINE)
    assert match, f"nothing like {pattern!r} in:\n{text}"
    return match[1]


def test_deploy_upload_split_roll_back_delete(node, wrangler, tmp_path):
    write(tmp_path, project())
    said = wrangler("deploy", "--message", "the first")
    first = find(rf"^Current Version ID: ({ID})$", said)
    find(r"^Worker Startup Time: (\d+) ms$", said)
    assert "life.local.localhost" in said
    assert ask(node) == {
        "greeting": "one",
        "count": 1,
        "version": {
            "id": first,
            "tag": "",
            "timestamp": ask(node)["version"]["timestamp"],
        },
        "secret": None,
    }

    write(tmp_path, project("two"))
    said = wrangler("versions", "upload", "--tag", "v2", "--message", "the second")
    second = find(rf"^Worker Version ID: ({ID})$", said)
    assert ask(node)["greeting"] == "one"
    listed = wrangler("versions", "list")
    assert re.findall(rf"^Version ID: +({ID})$", listed, re.MULTILINE) == [
        first,
        second,
    ]
    assert find(r"^Tag: +(v2)$", listed)
    assert find(r"^Message: +(the second)$", listed)
    viewed = wrangler("versions", "view", second)
    assert find(r'^env\.GREETING \("(two)"\) +Environment Variable', viewed)
    assert find(r"^Compatibility Date: +(\S+)$", viewed) == "2026-10-01"

    split = wrangler("versions", "deploy", f"{first}@60", f"{second}@40", "--yes")
    assert f"{first} at 60% and version {second} at 40%" in " ".join(split.split())
    status = wrangler("deployments", "status")
    assert re.findall(rf"\((\d+)%\) ({ID})", status) == [("60", first), ("40", second)]
    seen = {ask(node)["version"]["id"] for _ in range(40)}
    assert seen == {first, second}

    said = wrangler("rollback", "--yes", "--message", "back")
    assert find(rf"^Current Version ID: ({ID})$", said) == first
    assert {ask(node)["version"]["id"] for _ in range(10)} == {first}
    said = wrangler("deployments", "list")
    sources = re.findall(r"^Source: +(\S.*)$", said, re.MULTILINE)
    assert sources == ["Upload", "Promotion", "Rollback"]
    assert re.findall(r"^Message: +(\S.*)$", said, re.MULTILINE)[::2] == [
        "the first",
        "back",
    ]

    said = wrangler("delete")
    assert "Successfully deleted life" in said
    assert node.get("life.local").status == 404
    assert "10007" in wrangler("deployments", "list", code=1)


def test_secrets_are_put_listed_deleted_and_kept(node, wrangler, tmp_path):
    write(tmp_path, project(name="secrets"))
    wrangler("deploy")
    wrangler("secret", "put", "SECRET", given="hunter2")
    assert ask(node, "secrets")["secret"] == "hunter2"
    write(tmp_path, {"bulk.json": json.dumps({"A": "1", "B": "2"})})
    assert "2 secrets successfully" in wrangler("secret", "bulk", "bulk.json")
    wrangler("secret", "delete", "A")
    listed = json.loads(wrangler("secret", "list"))
    assert [one["name"] for one in listed] == ["SECRET", "B"]
    said = wrangler("deploy")
    assert "hunter2" not in said
    assert ask(node, "secrets")["secret"] == "hunter2"
    assert "hunter2" not in node.output


def test_secrets_of_versions_wait_for_their_deployment(node, wrangler, tmp_path):
    write(tmp_path, project(name="waiting"))
    wrangler("deploy")
    said = wrangler("versions", "secret", "put", "SECRET", given="later")
    version = find(rf"Created version ({ID}) with secret SECRET", said)
    assert ask(node, "waiting")["secret"] is None
    listed = wrangler("versions", "secret", "list", "--latest-version")
    assert find(r"^Secret Name: (\S+)$", listed) == "SECRET"
    said = wrangler("secret", "put", "SECRET", given="now", code=1)
    assert "the latest version of your Worker isn't currently deployed" in said
    wrangler("versions", "deploy", f"{version}@100", "--yes")
    assert ask(node, "waiting")["secret"] == "later"
    said = wrangler("rollback", "--yes")
    assert "The following secrets have changed" in said
    assert "* SECRET" in said
    assert ask(node, "waiting")["secret"] is None


def test_code_that_does_not_start_is_told_with_its_line(node, wrangler, tmp_path):
    write(tmp_path, {**project(name="broken"), "index.ts": CODE})
    wrangler("deploy")
    before = ask(node, "broken")["version"]
    write(tmp_path, {"index.ts": f"{BROKEN}export class Counter {{}}\n"})
    for command in (["deploy"], ["versions", "upload"]):
        said = wrangler(*command, code=1)
        assert "index.ts:4:" in said
        assert "[code: 10021]" in said
    assert ask(node, "broken")["version"] == before


MAKER = """
export default {
  async fetch(_request: Request, env: any): Promise<Response> {
    await env.KV.put("k", "kv");
    await env.BUCKET.put("k", "r2");
    const row = await env.DB.prepare("SELECT 'd1' AS v").first();
    const object = await env.BUCKET.get("k");
    return Response.json([await env.KV.get("k"), await object.text(), row.v]);
  },
};
"""


def test_what_a_worker_binds_without_an_id_is_made(node, wrangler, tmp_path):
    config = {
        "name": "maker",
        "main": "index.ts",
        "compatibility_date": "2026-10-01",
        "kv_namespaces": [{"binding": "KV"}],
        "d1_databases": [{"binding": "DB"}],
        "r2_buckets": [{"binding": "BUCKET"}],
    }
    write(tmp_path, {"index.ts": MAKER, "wrangler.jsonc": json.dumps(config)})
    said = wrangler("deploy")
    for kind in ("KV Namespace", "D1 Database", "R2 Bucket"):
        assert f"Creating new {kind}" in said
    assert node.get("maker.local").json() == ["kv", "r2", "d1"]
    assert "(inherited)" in wrangler("deploy")
    assert node.get("maker.local").json() == ["kv", "r2", "d1"]
