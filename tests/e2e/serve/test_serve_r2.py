"""R2 of `selfedge serve`: one bucket for the API and for Workers, by account."""

import pytest

BUCKETS = "/r2/buckets"
READS = """
export default {
  async fetch(request, { R2 }) {
    if (request.method === "PUT") await R2.put("key", request.body);
    const found = await R2.get("key");
    return new Response(found ? found.body : "absent");
  },
};
"""


def bound(name: str) -> dict[str, str]:
    return {"type": "r2_bucket", "name": "R2", "bucket_name": name}


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve()


def test_a_bucket_of_the_api_is_the_one_that_a_worker_has(node):
    node.result("POST", BUCKETS, {"name": "shared"})
    key = f"{BUCKETS}/shared/objects/key"
    assert node.call("PUT", key, body=b"by the API").status == 200
    node.deploy("reads", READS, [bound("shared")])
    assert node.get("reads").text == "by the API"
    large = b"by the Worker" * 100_000
    assert node.get("reads", method="PUT", body=large).body == large
    assert node.call("GET", key).body == large


def test_a_bucket_of_another_account_is_another_one(node):
    node.result("POST", BUCKETS, {"name": "mine"})
    node.call("PUT", f"{BUCKETS}/mine/objects/key", body=b"mine")
    account = node.result("POST", "//accounts", {"name": "other"})["id"]
    theirs = f"//accounts/{account}{BUCKETS}"
    assert node.call("GET", theirs).json()["result"] == {"buckets": []}
    heard = node.call("GET", f"{theirs}/mine/objects/key")
    assert (heard.status, heard.json()["errors"][0]["code"]) == (404, 10006)


def test_objects_survive_sigkill_of_the_node(serve):
    node = serve()
    node.result("POST", BUCKETS, {"name": "kept"})
    node.deploy("reads", READS, [bound("kept")])
    large = b"kept" * 100_000
    assert node.get("reads", method="PUT", body=large).body == large
    node.kill()
    node.start_again()
    assert node.get("reads").body == large
