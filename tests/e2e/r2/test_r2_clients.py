"""wrangler, the Python SDK and plain HTTP, unmodified, on R2 of `selfedge dev`."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import cloudflare
import pytest

from harness import Answer, Node, Nodes, fetch, worker
from harness.wrangler import Done, Wrangler
from selfedge.client.address import Address

MIB = 1024 * 1024
TABLE = """
    [[r2_buckets]]
    binding = "R2"
    bucket_name = "bound"
"""
CODE = """
    export default {
      async fetch(request, { R2 }) {
        const found = await R2.get(decodeURIComponent(new URL(request.url).pathname));
        return found ? new Response(found.body) : new Response("absent");
      },
    };
"""


@pytest.fixture(scope="module")
def node(shared_dev: Nodes) -> Node:
    return shared_dev(worker(CODE, TABLE))


@pytest.fixture(scope="module")
def address(node: Node) -> Address:
    return node.api


class Runs:
    """wrangler, which must succeed."""

    def __init__(self, wrangler: Wrangler, address: Address) -> None:
        self.folder = wrangler.folder
        self._wrangler = wrangler
        self._address = address

    def tried(self, *arguments: str) -> Done:
        return self._wrangler(self._address, "r2", *arguments)

    def __call__(self, *arguments: str) -> str:
        done = self.tried(*arguments)
        assert done.code == 0, done.text
        return done.text


@pytest.fixture(scope="module")
def wrangler(tmp_path_factory: pytest.TempPathFactory, address: Address) -> Runs:
    return Runs(Wrangler.installed(tmp_path_factory.mktemp("wrangler")), address)


@pytest.fixture(scope="module")
def sdk(address: Address) -> Iterator[cloudflare.Cloudflare]:
    with cloudflare.Cloudflare(
        api_token=address.token, base_url=address.url, max_retries=0
    ) as client:
        yield client


@pytest.fixture(scope="module")
def bucket(address: Address) -> str:
    ask(address, "/r2/buckets", method="POST", json_body={"name": "by-http"})
    return "/r2/buckets/by-http"


def ask(address: Address, path: str, **options: object) -> Answer:
    """Call the API below the account."""
    headers = dict(options.pop("headers", {}))  # type: ignore[call-overload]
    headers["Authorization"] = f"Bearer {address.token}"
    url = f"{address.url}/accounts/{address.account}{path}"
    return fetch(url, headers=headers, **options)  # type: ignore[arg-type]


def code(answer: Answer) -> int:
    return answer.json()["errors"][0]["code"]


def test_wrangler_makes_lists_and_deletes_buckets(wrangler: Runs, sdk) -> None:
    wrangler("bucket", "create", "made", "--storage-class=InfrequentAccess")
    assert "made" in wrangler("bucket", "list")
    again = wrangler.tried("bucket", "create", "made")
    assert again.code == 1
    assert "[code: 10004]" in again.text
    wrangler("bucket", "delete", "made")
    with pytest.raises(cloudflare.NotFoundError):
        sdk.r2.buckets.get("made", account_id="local")


def test_wrangler_puts_gets_and_deletes_objects(wrangler: Runs, node: Node) -> None:
    """Keys are sent as they are, with their slashes; the Worker sees the same."""
    (wrangler.folder / "file").write_bytes(b"by wrangler")
    wrangler(
        *("object", "put", "bound//dir/ü.txt", "--remote", "--file=file"),
        *("--content-type=text/plain", "--storage-class=InfrequentAccess"),
    )
    assert node.request("//dir/%C3%BC.txt").text == "absent"
    assert node.request("/dir/%C3%BC.txt").text == "by wrangler"
    wrangler("object", "get", "bound//dir/ü.txt", "--remote", "--file=copy")
    assert (wrangler.folder / "copy").read_bytes() == b"by wrangler"
    wrangler("object", "delete", "bound//dir/ü.txt", "--remote")
    assert node.request("/dir/%C3%BC.txt").text == "absent"


def test_wrangler_puts_what_is_over_the_limit_of_other_calls(
    wrangler: Runs, address: Address
) -> None:
    """Cloudflare's API takes bodies of 100 MiB, but objects of 300 MiB."""
    large = wrangler.folder / "large"
    with large.open("wb") as file:
        file.truncate(101 * MIB)
    wrangler("object", "put", "bound/large", "--remote", f"--file={large}")
    head = ask(address, "/r2/buckets/bound/objects/large", method="HEAD")
    assert head.headers["Content-Length"] == str(101 * MIB)
    ask(address, "/r2/buckets/bound/objects/large", method="DELETE")


def test_wrangler_tells_how_much_a_bucket_holds(wrangler: Runs, sdk) -> None:
    sdk.r2.buckets.create(account_id="local", name="counted")
    for key in ("a", "b"):
        sdk.r2.buckets.objects.upload(
            key, b"x" * 1000, account_id="local", bucket_name="counted"
        )
    told = json.loads(wrangler("bucket", "info", "counted", "--json"))
    assert told["object_count"] == "2"
    assert told["bucket_size"].endswith("kB")


def test_wrangler_cannot_delete_a_bucket_with_objects(wrangler: Runs, sdk) -> None:
    sdk.r2.buckets.create(account_id="local", name="full")
    sdk.r2.buckets.objects.upload("k", b"", account_id="local", bucket_name="full")
    refused = wrangler.tried("bucket", "delete", "full")
    assert refused.code == 1
    assert "[code: 10008]" in refused.text


def test_the_sdk_makes_lists_edits_and_deletes_buckets(sdk) -> None:
    made = sdk.r2.buckets.create(
        account_id="local", name="by-sdk", storage_class="InfrequentAccess"
    )
    assert (made.name, made.storage_class) == ("by-sdk", "InfrequentAccess")
    assert sdk.r2.buckets.get("by-sdk", account_id="local") == made
    edited = sdk.r2.buckets.edit("by-sdk", account_id="local", storage_class="Standard")
    assert edited.storage_class == "Standard"
    listed = sdk.r2.buckets.list(account_id="local", name_contains="y-sd")
    assert [one.name for one in listed.buckets] == ["by-sdk"]
    sdk.r2.buckets.delete("by-sdk", account_id="local")
    with pytest.raises(cloudflare.NotFoundError) as missing:
        sdk.r2.buckets.get("by-sdk", account_id="local")
    assert missing.value.errors[0].code == 10006


def test_the_sdk_writes_lists_and_reads_objects(sdk) -> None:
    sdk.r2.buckets.create(account_id="local", name="objects")
    of = {"account_id": "local", "bucket_name": "objects"}
    objects = sdk.r2.buckets.objects
    keys = [f"a/{number}" for number in range(5)] + ["b", "ü/ x?"]
    for key in keys:
        made = objects.upload(key, key.encode(), **of)
        assert made.etag == hashlib.md5(key.encode()).hexdigest()  # noqa: S324
    assert [one.key for one in objects.list(per_page=2, **of)] == keys
    assert [one.key for one in objects.list(delimiter="/", **of)] == ["b"]
    assert [one.key for one in objects.list(prefix="a/", **of)] == keys[:5]
    assert objects.get("ü/ x?", **of).read() == "ü/ x?".encode()
    assert objects.delete("b", **of).key == "b"
    with pytest.raises(cloudflare.NotFoundError) as missing:
        objects.get("b", **of)
    assert missing.value.errors[0].code == 10007


def test_a_jurisdiction_is_another_place(sdk) -> None:
    eu = {"account_id": "local", "cf_r2_jurisdiction": "eu"}
    assert sdk.r2.buckets.create(name="far", **eu).jurisdiction == "eu"
    with pytest.raises(cloudflare.NotFoundError):
        sdk.r2.buckets.get("far", account_id="local")
    assert [one.name for one in sdk.r2.buckets.list(**eu).buckets] == ["far"]


def test_headers_come_back(address: Address, bucket: str) -> None:
    sent = {
        "Content-Type": "text/plain",
        "Cache-Control": "max-age=5",
        "Content-Language": "de",
        "Content-Disposition": 'attachment; filename="x"',
        "Expires": "Fri, 15 Jan 2027 08:00:00 GMT",
        "cf-r2-storage-class": "InfrequentAccess",
    }
    ask(address, f"{bucket}/objects/k", method="PUT", body=b"value", headers=sent)
    answer = ask(address, f"{bucket}/objects/k")
    assert answer.body == b"value"
    assert {name: answer.headers[name] for name in sent} == sent
    assert answer.headers["ETag"] == '"2063c1608d6e0baf80249c42e2be5804"'


def test_ranges_and_conditions_of_http(address: Address, bucket: str) -> None:
    path = f"{bucket}/objects/ranges"
    etag = f'"{hashlib.md5(b"0123456789").hexdigest()}"'  # noqa: S324
    ask(address, path, method="PUT", body=b"0123456789")

    def status(**headers: str) -> int:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(address, path, headers=names).status

    part = ask(address, path, headers={"Range": "bytes=2-4"})
    assert (part.status, part.body) == (206, b"234")
    assert part.headers["Content-Range"] == "bytes 2-4/10"
    assert status(If_None_Match=etag) == 304
    assert status(If_Match='"other"') == 412
    assert status(If_Match=etag) == 200
    kept = ask(address, path, method="PUT", body=b"new", headers={"If-None-Match": "*"})
    assert (kept.status, code(kept)) == (412, 10031)
    assert ask(address, path).body == b"0123456789"


@pytest.mark.parametrize(
    "key", ["a/b", "dir/", "/lead", "a//b", "a%2Fb", "ü", "a b?c#d", "100%", ".", ".."]
)
def test_any_key_can_be_reached(address: Address, bucket: str, key: str) -> None:
    path = f"{bucket}/objects/{quote(key, safe='')}"
    made = ask(address, path, method="PUT", body=key.encode())
    assert made.json()["result"]["key"] == key
    assert ask(address, path).body == key.encode()
    assert ask(address, path, method="DELETE").json()["result"] == {"key": key}
    assert ask(address, path).status == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "/r2/buckets", {"name": "Ü"}, (400, 10005)),
        ("POST", "/r2/buckets", {"name": "x" * 64}, (400, 10005)),
        ("POST", "/r2/buckets", {"name": 5}, (400, 1002)),
        ("POST", "/r2/buckets", {"name": "abc", "storageClass": "?"}, (400, 10029)),
        ("GET", "/r2/buckets?per_page=0", None, (400, 1001)),
        ("GET", "/r2/buckets/absent", None, (404, 10006)),
        ("GET", "/r2/buckets/absent/objects", None, (404, 10006)),
        ("PUT", "/r2/buckets/absent/objects/k", {}, (404, 10006)),
        ("GET", "/r2/buckets/bound/objects/absent", None, (404, 10007)),
        ("GET", "/r2/buckets/bound/objects?cursor=zzz", None, (400, 10029)),
        ("GET", "/r2/buckets/bound/objects?per_page=1001", None, (400, 1001)),
        ("PUT", f"/r2/buckets/bound/objects/{'x' * 1025}", {}, (400, 10020)),
    ],
)
def test_bad_calls_are_refused(
    address: Address, method: str, path: str, body: object, expected: tuple[int, int]
) -> None:
    answer = ask(address, path, method=method, json_body=body)
    assert (answer.status, code(answer)) == expected


def test_graphql_answers_whatever_is_asked(address: Address) -> None:
    url = f"{address.url}/graphql"
    for query in ("", "{ viewer { accounts { unknownGroups(limit: 1) { max } } } }"):
        headers = {"Authorization": f"Bearer {address.token}"}
        answer = fetch(url, json_body={"query": query}, headers=headers)
        assert answer.json()["data"] == {"viewer": {"accounts": [{}]}}
    assert urlsplit(url).path == "/client/v4/graphql"


def test_state_is_below_the_project(node: Node, sdk) -> None:
    sdk.r2.buckets.objects.upload(
        "big", bytes(MIB), account_id="local", bucket_name="bound"
    )
    blobs: Path = node.project / ".selfedge" / "r2" / "blobs"
    assert MIB in [path.stat().st_size for path in blobs.iterdir()]
