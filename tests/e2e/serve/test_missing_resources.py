"""What bindings name must be there, or the upload is refused and nothing changes."""

import json

import pytest

from harness.project import write
from harness.wrangler import Wrangler

HELLO = "export default { fetch: () => new Response('hello') }"
MISSING = {
    "kv": ({"type": "kv_namespace", "namespace_id": "0" * 32}, 10041, "kv namespace"),
    "d1": ({"type": "d1", "id": "1" * 32}, 10181, "d1 create"),
    "r2": ({"type": "r2_bucket", "bucket_name": "absent"}, 10085, "r2 bucket create"),
    "vectorize": (
        {"type": "vectorize", "index_name": "absent"},
        10159,
        "vectorize create",
    ),
    "queue": ({"type": "queue", "queue_name": "absent"}, 11000, "queues create"),
    "service": ({"type": "service", "service": "absent"}, 10143, "Deploy it first"),
}


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve()


@pytest.mark.parametrize("kind", MISSING)
def test_an_upload_is_told_the_binding_what_is_missing_and_the_remedy(node, kind):
    node.deploy("steady", HELLO)
    given, code, remedy = MISSING[kind]
    named = next(value for key, value in given.items() if key != "type")
    for at in ("", "/versions"):
        answer = node.upload("steady", HELLO, [{**given, "name": "BOUND"}], at=at)
        (error,) = answer.json()["errors"]
        assert (answer.status, error["code"]) == (400, code)
        for word in ("BOUND", named, remedy):
            assert word in error["message"]
    assert len(node.result("GET", "/workers/scripts/steady/versions")["items"]) == 1
    assert node.get("steady").text == "hello"
    node.result("DELETE", "/workers/scripts/steady?force=true")


def test_another_accounts_namespace_is_missing(node):
    account = node.result("POST", "//accounts", {"name": "other"})["id"]
    path = f"//accounts/{account}/storage/kv/namespaces"
    theirs = node.result("POST", path, {"title": "theirs"})["id"]
    bound = {"type": "kv_namespace", "name": "KV", "namespace_id": theirs}
    answer = node.upload("thief", HELLO, [bound])
    assert answer.json()["errors"][0]["code"] == 10041


def test_a_secret_can_be_changed_although_a_database_was_deleted(node):
    """What a version was bound to before is not looked up again."""
    uuid = node.result("POST", "/d1/database", {"name": "brief"})["uuid"]
    bound = [{"type": "d1", "name": "DB", "id": uuid}]
    node.deploy("kept", HELLO, bound)
    node.result("DELETE", f"/d1/database/{uuid}")
    assert node.upload("kept", HELLO, bound).json()["errors"][0]["code"] == 10181
    secret = {"name": "HUSH", "type": "secret_text", "text": "x"}
    node.result("PUT", "/workers/scripts/kept/secrets", secret)


@pytest.mark.slow
def test_wrangler_shows_what_is_missing(node, tmp_path):
    config = {
        "name": "lost",
        "main": "index.ts",
        "compatibility_date": "2026-10-01",
        "kv_namespaces": [{"binding": "SPACE", "id": "nowhere"}],
    }
    write(tmp_path, {"index.ts": HELLO, "wrangler.jsonc": json.dumps(config)})
    done = Wrangler.installed(tmp_path)(node.api, "deploy")
    assert done.code == 1
    for word in ("'nowhere'", "'SPACE'", "kv namespace create", "[code: 10041]"):
        assert word in done.text
    assert node.get("lost").status == 404
