"""One Worker with many bindings and triggers, made by an unmodified wrangler."""

import json
import re

import pytest

from harness.project import write
from harness.serve import ServeNode, ServeNodes
from harness.wrangler import Wrangler

CODE = """
import { DurableObject } from "cloudflare:workers";

export class Counter extends DurableObject {
  async next(): Promise<number> {
    const count = ((await this.ctx.storage.get<number>("n")) ?? 0) + 1;
    await this.ctx.storage.put("n", count);
    return count;
  }
}

export default {
  async scheduled() {},
  async fetch(request: Request, env: any): Promise<Response> {
    await env.KV.put("key", "from the Worker");
    await env.INDEX.upsert([{ id: "a", values: [1, 0, 0] }]);
    const made = await env.AI.run("@cf/baai/bge-small-en-v1.5", { text: ["hello"] });
    return Response.json({
      path: new URL(request.url).pathname,
      count: await env.COUNTER.get(env.COUNTER.idFromName("a")).next(),
      dimensions: made.shape[1],
      greeting: env.GREETING,
      secret: env.SECRET,
    });
  },
};
"""


def config(namespace):
    return {
        "name": "all",
        "main": "index.ts",
        "compatibility_date": "2026-10-01",
        "vars": {"GREETING": "hello"},
        "kv_namespaces": [{"binding": "KV", "id": namespace}],
        "vectorize": [{"binding": "INDEX", "index_name": "docs"}],
        "ai": {"binding": "AI"},
        "durable_objects": {"bindings": [{"name": "COUNTER", "class_name": "Counter"}]},
        "migrations": [{"tag": "v1", "new_sqlite_classes": ["Counter"]}],
        "routes": [
            {"pattern": "lab.example/api/*", "zone_name": "lab.example"},
            {"pattern": "app.lab.example", "custom_domain": True},
        ],
        "workers_dev": True,
        "triggers": {"crons": ["*/5 * * * *"]},
    }


@pytest.fixture(scope="module")
def node(shared_serve: ServeNodes) -> ServeNode:
    return shared_serve()


@pytest.fixture
def wrangler(node, tmp_path):
    """Run a command that must succeed, and return what it printed."""
    installed = Wrangler.installed(tmp_path)

    def run(*arguments, given=None):
        done = installed(node.api, *arguments, given=given)
        assert done.code == 0, done.text
        return done.text

    return run


def test_a_worker_with_everything_lives_and_dies(node, wrangler, tmp_path):
    node.result("POST", "//zones", {"name": "lab.example"})
    said = wrangler("kv", "namespace", "create", "notes")
    namespace = re.search(r'"id": "([0-9a-f]{32})"', said)[1]
    wrangler("vectorize", "create", "docs", "--dimensions=3", "--metric=cosine")
    write(
        tmp_path,
        {
            "index.ts": CODE,
            "wrangler.jsonc": json.dumps(config(namespace)),
        },
    )
    said = wrangler("deploy")
    for line in (
        "lab.example/api/* (zone name: lab.example)",
        "app.lab.example (custom domain)",
        "schedule: */5 * * * *",
        "all.local.localhost",
    ):
        assert line in said
    wrangler("secret", "put", "SECRET", given="hunter2")
    wanted = {
        "dimensions": 384,
        "greeting": "hello",
        "secret": "hunter2",
    }
    hosts = ("all.local.localhost", "app.lab.example", "lab.example")
    for count, host in enumerate(hosts, 1):
        answer = node.request("/api/x", headers={"host": host}).json()
        assert answer == {"path": "/api/x", "count": count, **wanted}
    outside = node.request("/other", headers={"host": "lab.example"})
    assert outside.status != 200
    value = wrangler("kv", "key", "get", "key", "--binding", "KV", "--remote")
    assert value == "from the Worker"
    query = wrangler("vectorize", "get-vectors", "docs", "--ids", "a")
    assert '"id": "a"' in query
    schedules = node.result("GET", "/workers/scripts/all/schedules")["schedules"]
    assert [one["cron"] for one in schedules] == ["*/5 * * * *"]
    wrangler("delete")
    for host in hosts:
        gone = node.request("/api/x", headers={"host": host})
        assert gone.status == 404
