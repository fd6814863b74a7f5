"""wrangler and the Python SDK, unmodified, use KV of `selfedge dev`."""

import json
from itertools import islice

import cloudflare
import pytest

from harness import Nodes, worker
from harness.wrangler import Wrangler

BOUND = "0123456789abcdef0123456789abcdef"
CODE = """
    export default {
      async fetch(request: Request, env: any) {
        const key = decodeURIComponent(new URL(request.url).pathname.slice(1));
        if (request.method === "PUT") await env.KV.put(key, await request.text());
        return Response.json(await env.KV.getWithMetadata(key));
      },
    };
"""
TABLE = f"""
    [[kv_namespaces]]
    binding = "KV"
    id = "{BOUND}"
"""


@pytest.fixture(scope="module")
def node(shared_dev: Nodes):
    return shared_dev(worker(CODE, TABLE))


@pytest.fixture(scope="module")
def wrangler(tmp_path_factory, node):
    one = Wrangler.installed(tmp_path_factory.mktemp("wrangler"))

    def run(*arguments):
        done = one(node.api, "kv", *arguments)
        assert done.code == 0, done.text
        return done.text

    run.folder = one.folder
    run.failing = lambda *arguments: one(node.api, "kv", *arguments)
    return run


def test_wrangler_reads_what_a_worker_wrote_and_the_other_way(wrangler, node):
    node.request("/by%20worker", method="PUT", body="hi")
    where = ("--remote", "--namespace-id", BOUND)
    assert wrangler("key", "get", "by worker", "--text", *where).strip() == "hi"
    wrangler("key", "put", "a/b c?d", "välue", "--metadata", '{"m":1}', *where)
    found = node.request("/a%2Fb%20c%3Fd").json()
    assert (found["value"], found["metadata"]) == ("välue", {"m": 1})


def test_wrangler_manages_namespaces(wrangler):
    wrangler("namespace", "create", "by-wrangler")
    again = wrangler.failing("namespace", "create", "by-wrangler")
    assert again.code == 1
    assert "already exists" in again.text
    listed = json.loads(wrangler("namespace", "list"))
    assert {"id": BOUND, "title": BOUND, "supports_url_encoding": True} in listed
    (made,) = [one for one in listed if one["title"] == "by-wrangler"]
    wrangler("namespace", "rename", "by-wrangler", "--new-name", "renamed")
    assert "renamed" in wrangler("namespace", "list")
    wrangler("namespace", "delete", "--namespace-id", made["id"], "-y")
    assert made["id"] not in wrangler("namespace", "list")


def test_wrangler_lists_and_deletes_keys_and_reads_and_writes_in_bulk(wrangler):
    where = ("--remote", "--namespace-id", BOUND)
    pairs = [{"key": f"bulk{n:04}", "value": f"{n}"} for n in range(1100)]
    (wrangler.folder / "pairs.json").write_text(json.dumps(pairs))
    wrangler("bulk", "put", "pairs.json", *where)
    listed = json.loads(wrangler("key", "list", "--prefix", "bulk", *where))
    assert listed == [{"name": one["key"]} for one in pairs]
    (wrangler.folder / "keys.json").write_text(json.dumps(["bulk0001", "absent"]))
    got = wrangler("bulk", "get", "keys.json", *where)
    assert '"bulk0001"' in got
    wrangler("key", "delete", "bulk0000", *where)
    wrangler("bulk", "delete", "keys.json", "--force", *where)
    left = json.loads(wrangler("key", "list", "--prefix", "bulk", *where))
    assert len(left) == len(pairs) - 2
    missing = wrangler.failing("key", "get", "bulk0000", *where)
    assert missing.code == 1
    assert "404" in missing.text


def test_the_sdk_uses_all_routes_and_its_lists_end(node):
    address = node.api
    with cloudflare.Cloudflare(
        api_token=address.token, base_url=address.url, max_retries=0
    ) as client:
        kv, account = client.kv.namespaces, {"account_id": address.account}
        made = kv.create(title="by-sdk", **account)
        assert made.id
        where = {"namespace_id": made.id, **account}
        kv.values.update(
            "a/b", value=b"\x00v", metadata={"m": 1}, expiration_ttl=100, **where
        )
        assert kv.values.get("a/b", **where).read() == b"\x00v"
        assert kv.metadata.get("a/b", **where) == {"m": 1}
        pairs = [{"key": f"k{n:03}", "value": "v"} for n in range(30)]
        assert kv.bulk_update(body=pairs, **where).successful_key_count == 30
        names = [one.name for one in islice(kv.keys.list(limit=10, **where), 99)]
        assert names == ["a/b", *(pair["key"] for pair in pairs)]
        got = kv.bulk_get(keys=["k000", "absent"], **where)
        assert got.values == {"k000": "v", "absent": None}
        kv.bulk_delete(body=["k000"], **where)
        kv.values.delete("a/b", **where)
        with pytest.raises(cloudflare.NotFoundError) as missing:
            kv.values.get("a/b", **where)
        assert missing.value.errors[0].code == 10009
        assert "by-sdk" in [one.title for one in islice(kv.list(**account), 99)]
        assert kv.update(title="sdk-2", **where).title == "sdk-2"
        kv.delete(**where)
        with pytest.raises(cloudflare.NotFoundError) as missing:
            kv.get(**where)
        assert missing.value.errors[0].code == 10013
