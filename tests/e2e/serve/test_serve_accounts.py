"""Accounts of one node share nothing; tokens open what they should, and no more."""

import json

import pytest

from harness import Origin
from harness.processes import marked

KV = "/storage/kv/namespaces"
READS = """
export default {
  async fetch(request, env) {
    if (request.method === "PUT") await env.KV.put("key", await request.text());
    return new Response(await env.KV.get("key"));
  },
};
"""


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve()


@pytest.fixture(scope="module")
def origin():
    with Origin("from the origin") as running:
        yield running


@pytest.fixture(scope="module")
def other(node):
    """Another account, and a token of it alone."""
    made = node.result("POST", "//accounts", {"name": "other"})
    asked = {"name": "theirs", "scope": "admin", "account": made["id"]}
    token = node.result("POST", "//user/tokens", asked)["value"]
    return made["id"], token


def test_a_namespace_of_the_api_is_the_one_that_a_worker_has(node):
    made = node.result("POST", KV, {"title": "shared"})
    path = f"{KV}/{made['id']}"
    assert node.call("PUT", f"{path}/values/key", body=b"by the API").status == 200
    binding = {"type": "kv_namespace", "name": "KV", "namespace_id": made["id"]}
    node.deploy("reads", READS, [binding])
    assert node.get("reads").text == "by the API"
    assert node.get("reads", method="PUT", body="by the Worker").text == "by the Worker"
    assert node.call("GET", f"{path}/values/key").text == "by the Worker"


def test_the_same_namespace_id_is_another_namespace_in_another_account(node, other):
    account, token = other
    made = node.result("POST", KV, {"title": "mine"})
    theirs = f"//accounts/{account}{KV}"
    ids = node.call("GET", theirs, token=token).json()["result"]
    assert ids == []
    value = f"{theirs}/{made['id']}/values/key"
    heard = node.call("PUT", value, token=token, body=b"x")
    assert (heard.status, heard.json()["errors"][0]["code"]) == (404, 10013)


@pytest.mark.parametrize("path", ["", KV, "/workers/scripts", "/r2/buckets", "/nope"])
def test_a_token_of_one_account_opens_nothing_of_the_other(node, other, path):
    heard = node.call("GET", path, token=other[1])
    assert (heard.status, heard.json()["errors"][0]["code"]) == (403, 10000)


def test_workers_of_the_same_name_are_two(node, other):
    account, token = other
    node.deploy("twin", "export default { fetch: () => new Response('one') }")
    mine = node.result("GET", "/workers/workers/twin")["subdomain"]["url"]
    listed = node.call("GET", f"//accounts/{account}/workers/scripts", token=token)
    assert listed.json()["result"] == []
    assert mine.startswith("http://twin.local.")


@pytest.mark.slow
def test_all_accounts_have_their_models_in_one_model_host(node, other):
    account, token = other
    path = "/ai/run/@local/all-minilm-l6-v2"
    texts = {"text": "one host"}
    ours = node.result("POST", path, texts)
    theirs = node.call("POST", f"//accounts/{account}{path}", texts, token=token)
    assert theirs.json()["result"]["data"] == ours["data"]
    hosts = [
        command
        for command in marked(node.mark).values()
        if "selfedge.bindings.ai.host" in command
    ]
    assert len(hosts) == 1


def test_changes_are_in_the_audit_log_and_secrets_are_not(node):
    secret = {"name": "HUSH", "text": "do not tell", "type": "secret_text"}
    node.deploy("audited", "export default { fetch: () => new Response('x') }")
    node.result("PUT", "/workers/scripts/audited/secrets", secret)
    raw = (node.data / "logs" / "audit.jsonl").read_text()
    assert "do not tell" not in raw
    lines = [json.loads(line) for line in raw.splitlines()]
    paths = [one["path"] for one in lines]
    account = node.api.account
    assert f"/client/v4/accounts/{account}/workers/scripts/audited/secrets" in paths
    assert {"first"} <= {one["token_name"] for one in lines} <= {"first", "theirs"}


def test_tokens_survive_a_restart_and_no_file_holds_one(serve):
    node = serve()
    asked = {"name": "ci", "scope": "read"}
    token = node.result("POST", "//user/tokens", asked)["value"]
    node.restart()
    assert node.call("GET", "//user", token=token).status == 200
    assert node.call("POST", "//user/tokens", asked, token=token).status == 403
    for path in node.data.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            assert token.encode() not in raw
            assert node.api.token.encode() not in raw


def test_a_zone_sends_to_its_origin_what_no_worker_answers(node, origin):
    zone = {"name": "zoned.example", "origin": origin.url}
    account = {"account": {"id": node.api.account}}
    made = node.result("POST", "//zones", {**zone, **account})
    node.deploy("part", "export default { fetch: () => new Response('worker') }")
    route = {"pattern": "zoned.example/api/*", "script": "part"}
    added = node.result("POST", f"//zones/{made['id']}/workers/routes", route)
    host = {"host": "zoned.example"}
    assert node.request("/api/x", headers=host).text == "worker"
    assert node.request("/else", headers=host).text == "from the origin"
    node.result("DELETE", f"//zones/{made['id']}/workers/routes/{added['id']}")
    assert node.request("/api/x", headers=host).text == "from the origin"
    node.result("DELETE", f"//zones/{made['id']}")
    assert node.request("/api/x", headers=host).status == 404


def test_a_token_that_calls_too_often_waits(serve):
    node = serve("--api-rate", "20")
    heard = [node.call("GET", "//user") for _ in range(21)]
    assert {answer.status for answer in heard[:-1]} == {200}
    assert heard[-1].status == 429
    assert int(heard[-1].headers["Retry-After"]) > 0
