"""Workers of one account call each other, across processes."""

import pytest

CALLEE = """
import { WorkerEntrypoint } from "cloudflare:workers";
export class Named extends WorkerEntrypoint {
  async add(a, b) { return a + b; }
  async each(list, callback) { for (const one of list) await callback(one * 2); }
}
export default class extends WorkerEntrypoint {
  async greet(name) { return `hello ${name} from VERSION`; }
  async fetch(request) {
    return new Response(`fetched ${new URL(request.url).pathname}`);
  }
}
"""
CALLER = """
export default { async fetch(request, env) {
  const doubled = [];
  await env.NAMED.each([1, 2, 3], (one) => doubled.push(one));
  return Response.json({
    greeting: await env.CALLEE.greet("you"),
    sum: await env.NAMED.add(2, 3),
    doubled,
    fetched: await (await env.CALLEE.fetch("http://any/path")).text(),
  });
} }
"""
BINDINGS = [
    {"type": "service", "name": "CALLEE", "service": "callee"},
    {"type": "service", "name": "NAMED", "service": "callee", "entrypoint": "Named"},
]


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve("--idle", "2")


def test_fetch_and_rpc_cross_processes(node):
    node.deploy("callee", CALLEE)
    node.deploy("caller", CALLER, BINDINGS)
    assert node.get("caller").json() == {
        "greeting": "hello you from VERSION",
        "sum": 5,
        "doubled": [2, 4, 6],
        "fetched": "fetched /path",
    }
    assert node.process_of("callee")["pid"] != node.process_of("caller")["pid"]


def test_props_of_each_binding_reach_the_callee_in_another_process(node):
    """By fetch and RPC, of an object and of a class, and also when it is released."""
    callee = """
    import { WorkerEntrypoint } from "cloudflare:workers";
    export class Named extends WorkerEntrypoint {
      async who() { return this.ctx.props; }
      async fetch() { return Response.json(this.ctx.props); }
    }
    export default { fetch(request, env, ctx) { return Response.json(ctx.props); } }
    """
    caller = """export default { async fetch(request, env) {
      const fetched = async (one) => (await one.fetch("http://any/")).json();
      return Response.json([
        await env.ADMIN.who(), await fetched(env.ADMIN), await env.GUEST.who(),
        await fetched(env.PLAIN), await env.NONE.who(),
      ]);
    } }"""
    named = {"type": "service", "service": "gifted", "entrypoint": "Named"}
    bindings = [
        {**named, "name": "ADMIN", "props": {"role": "admin", "of": ["a", 1]}},
        {**named, "name": "GUEST", "props": {"role": "guest"}},
        {**named, "name": "NONE"},
        {
            "type": "service",
            "name": "PLAIN",
            "service": "gifted",
            "props": {"plain": 1},
        },
    ]
    node.deploy("gifted", callee)
    node.deploy("giver", caller, bindings)
    admin = {"role": "admin", "of": ["a", 1]}
    expected = [admin, admin, {"role": "guest"}, {"plain": 1}, {}]
    assert node.get("giver").json() == expected
    node.deploy("gifted", callee)
    assert node.get("giver").json() == expected
    changed = {"role": "owner"}
    node.deploy("giver", caller, [{**bindings[0], "props": changed}, *bindings[1:]])
    assert node.get("giver").json() == [changed, changed, *expected[2:]]
    assert node.process_of("gifted")["pid"] != node.process_of("giver")["pid"]


def test_a_release_of_the_callee_reaches_its_callers(node):
    node.deploy("callee", CALLEE)
    node.deploy("caller", CALLER, BINDINGS)
    node.get("caller")
    node.deploy("callee", CALLEE.replace("VERSION", "two"))
    node.wait_until(
        lambda answer: "from two" in answer.text, headers={"host": "caller.localhost"}
    )


def test_calls_with_gaps_between_them_fail_in_no_release(node):
    """Callers stay connected to the process that is replaced, which ends in a gap."""
    node.deploy("callee", CALLEE)
    node.deploy("caller", CALLER, BINDINGS)
    for number in range(6):
        version = f"version {number}"
        node.deploy("callee", CALLEE.replace("VERSION", version))
        seen = node.get("caller").json()  # while the old process is about to end
        assert seen["sum"] == 5
        node.wait_until(
            lambda answer, version=version: version in answer.text,
            headers={"host": "caller.localhost"},
        )


def test_a_sleeping_callee_is_woken(node):
    node.deploy("callee", CALLEE)
    node.deploy("caller", CALLER, BINDINGS)
    node.get("caller")
    node.until_asleep("callee")
    node.until_asleep("caller")
    assert node.get("caller").json()["sum"] == 5


def test_durable_objects_of_another_worker_share_its_process(node):
    owner = """
    import { DurableObject } from "cloudflare:workers";
    export class Counter extends DurableObject {
      async add() {
        const n = ((await this.ctx.storage.get("n")) ?? 0) + 1;
        await this.ctx.storage.put("n", n);
        return n;
      }
    }
    export default { async fetch(request, env) {
      return new Response(String(await env.COUNTER.getByName("x").add()));
    } }"""
    user = """export default { async fetch(request, env) {
      return new Response(String(await env.COUNTER.getByName("x").add()));
    } }"""
    own = {
        "type": "durable_object_namespace",
        "name": "COUNTER",
        "class_name": "Counter",
    }
    migration = {"new_tag": "v1", "steps": [{"new_sqlite_classes": ["Counter"]}]}
    node.deploy("owner", owner, [own], migrations=migration)
    assert node.get("owner").text == "1"
    node.deploy("user", user, [{**own, "script_name": "owner"}])
    assert node.get("user").text == "2"
    assert node.get("owner").text == "3"
    assert node.process_of("user")["pid"] == node.process_of("owner")["pid"]
    node.result("DELETE", "/workers/scripts/user?force=true")
    assert node.get("user").status == 404
    assert node.get("owner").text == "4"


def test_a_callee_that_was_deleted_is_named_with_the_remedy(serve):
    node = serve()
    code = """export default { async fetch(request, env) {
      try { return await env.GONE.fetch(request); }
      catch (error) { return new Response(error.message); }
    } }"""
    gone = {"type": "service", "name": "GONE", "service": "brief"}
    node.deploy("brief", "export default { fetch: () => new Response('here') }")
    node.deploy("hopeful", code, [gone])
    assert node.get("hopeful").text == "here"
    node.result("DELETE", "/workers/scripts/brief?force=true")
    node.restart()
    text = node.get("hopeful").text
    assert "no Worker 'brief'" in text
    assert "Deploy it" in text
