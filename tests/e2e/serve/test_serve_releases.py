"""Releases lose nothing: neither requests, nor waitUntil, nor increments."""

import time

from harness.load import load

STATELESS = """
export default {{
  async fetch(request) {{
    await request.text();
    return new Response("{version}");
  }},
}};
"""
COUNTER = """
import {{ DurableObject }} from "cloudflare:workers";
export class Counter extends DurableObject {{
  async add() {{
    const n = ((await this.ctx.storage.get("n")) ?? 0) + 1;
    await this.ctx.storage.put("n", n);
    return n;
  }}
}}
export default {{
  async fetch(request, env) {{
    await request.text();
    return new Response(`{version} ${{await env.COUNTER.getByName("one").add()}}`);
  }},
}};
"""
BINDING = {
    "type": "durable_object_namespace",
    "name": "COUNTER",
    "class_name": "Counter",
}
MIGRATION = {"new_tag": "v1", "steps": [{"new_sqlite_classes": ["Counter"]}]}


def test_no_request_fails_over_releases_of_a_worker(serve):
    node = serve()
    node.deploy("busy", STATELESS.format(version="v0"))
    with load(node.url, clients=8, host="busy.localhost") as heard:
        for number in range(1, 9):
            node.deploy("busy", STATELESS.format(version=f"v{number}"))
            seen = len(heard.answers)
            node.wait_until(
                lambda answer, number=number: answer.text == f"v{number}",
                headers={"host": "busy.localhost"},
            )
            while len(heard.answers) < seen + 50:
                time.sleep(0.01)
    assert not heard.failures
    assert {body for _, body in heard.answers} == {f"v{n}" for n in range(9)}


def test_no_increment_is_lost_or_repeated_over_releases(serve):
    node = serve()
    node.deploy("count", COUNTER.format(version="v0"), [BINDING], migrations=MIGRATION)
    with load(node.url, clients=8, posts_only=True, host="count.localhost") as heard:
        for number in range(1, 6):
            node.deploy("count", COUNTER.format(version=f"v{number}"), [BINDING])
            seen = len(heard.answers)
            while len(heard.answers) < seen + 50:
                time.sleep(0.01)
    assert not heard.failures
    counts = sorted(int(body.split()[1]) for _, body in heard.answers)
    assert counts == list(range(1, len(counts) + 1))


def test_work_after_the_response_survives_a_release(serve):
    node = serve()
    kv = node.kv("later")
    code = """export default { async fetch(request, env, ctx) {
      if (request.method === "POST") {
        ctx.waitUntil((async () => {
          await new Promise((done) => setTimeout(done, 2000));
          await env.KV.put("key", "written");
        })());
      }
      return new Response((await env.KV.get("key")) ?? "not yet");
    } }"""
    node.deploy("later", code, [kv])
    assert node.get("later", method="POST", body="x").text == "not yet"
    node.deploy("later", code, [kv])
    node.wait_until(
        lambda answer: answer.text == "written", headers={"host": "later.localhost"}
    )


def test_traffic_is_split_and_a_key_sticks_to_its_version(serve):
    node = serve()
    first = node.deploy("split", STATELESS.format(version="one"))
    answer = node.upload("split", STATELESS.format(version="two"), at="/versions")
    second = answer.json()["result"]["id"]
    versions = [
        {"version_id": first, "percentage": 60},
        {"version_id": second, "percentage": 40},
    ]
    told = {"strategy": "percentage", "versions": versions}
    node.result("POST", "/workers/scripts/split/deployments", told)

    seen = [node.get("split").text for _ in range(100)]
    assert 35 < seen.count("one") < 85
    for key in ("alice", "bob", "carol"):
        headers = {"cloudflare-workers-version-key": key}
        assert len({node.get("split", headers=headers).text for _ in range(8)}) == 1
    override = {"cloudflare-workers-version-overrides": f'split="{second}"'}
    assert {node.get("split", headers=override).text for _ in range(8)} == {"two"}


def test_two_versions_share_one_owner_of_durable_objects(serve):
    node = serve()
    first = node.deploy(
        "both", COUNTER.format(version="one"), [BINDING], migrations=MIGRATION
    )
    answer = node.upload(
        "both", COUNTER.format(version="two"), [BINDING], at="/versions"
    )
    second = answer.json()["result"]["id"]
    versions = [
        {"version_id": first, "percentage": 50},
        {"version_id": second, "percentage": 50},
    ]
    told = {"strategy": "percentage", "versions": versions}
    node.result("POST", "/workers/scripts/both/deployments", told)
    seen = [node.get("both").text.split() for _ in range(40)]
    assert {version for version, _ in seen} == {"one", "two"}
    assert [int(count) for _, count in seen] == list(range(1, 41))
