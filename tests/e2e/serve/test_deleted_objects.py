"""What Durable Objects stored goes with their Worker, and with nothing else."""

import pytest

from harness.serve import ServeNode, ServeNodes

CODE = """
import { DurableObject } from "cloudflare:workers";

export class Counter extends DurableObject {
  async next() {
    const count = ((await this.ctx.storage.get("n")) ?? 0) + 1;
    await this.ctx.storage.put("n", count);
    return count;
  }
}

export default {
  async fetch(request, env) {
    return Response.json(await env.COUNTER.get(env.COUNTER.idFromName("a")).next());
  },
};
"""
BINDING = {
    "name": "COUNTER",
    "type": "durable_object_namespace",
    "class_name": "Counter",
}
MADE = {"new_tag": "v1", "steps": [{"new_sqlite_classes": ["Counter"]}]}


@pytest.fixture(scope="module")
def node(shared_serve: ServeNodes) -> ServeNode:
    return shared_serve()


def test_a_worker_of_the_same_name_begins_anew(node):
    for name in ("gone", "stays"):
        node.deploy(name, CODE, [BINDING], migrations=MADE)
        assert [node.get(name).json() for _ in range(2)] == [1, 2]
    node.result("DELETE", "/workers/scripts/gone?force=true")
    account = node.data / "objects" / node.api.account
    assert [folder.name for folder in account.iterdir()] == ["stays"]
    node.deploy("gone", CODE, [BINDING], migrations=MADE)
    assert node.get("gone").json() == 1
    assert node.get("stays").json() == 3


def test_a_class_that_was_deleted_and_is_made_again_begins_anew(node):
    node.deploy("again", CODE, [BINDING], migrations=MADE)
    assert node.get("again").json() == 1
    nothing = "export default { fetch: () => new Response('no class') };"
    steps = [{"deleted_classes": ["Counter"]}]
    deleted = {"old_tag": "v1", "new_tag": "v2", "steps": steps}
    node.deploy("again", nothing, migrations=deleted)
    made = {**MADE, "old_tag": "v2", "new_tag": "v3"}
    node.deploy("again", CODE, [BINDING], migrations=made)
    assert node.get("again").json() == 1


def test_a_class_that_was_renamed_keeps_its_objects(node):
    node.deploy("named", CODE, [BINDING], migrations=MADE)
    assert node.get("named").json() == 1
    steps = [{"renamed_classes": [{"from": "Counter", "to": "Meter"}]}]
    node.deploy(
        "named",
        CODE.replace("class Counter", "class Meter"),
        [{**BINDING, "class_name": "Meter"}],
        migrations={"old_tag": "v1", "new_tag": "v2", "steps": steps},
    )
    assert node.get("named").json() == 2
