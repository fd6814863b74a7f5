"""R2 in `selfedge dev`: what a Worker is refused, and what outlives what."""

import hashlib
import json
import socket
from contextlib import closing

import pytest

from harness import Node, Nodes, worker
from harness.store import KEYS, s3_store

MIB = 1024 * 1024
TABLE = """
    [[r2_buckets]]
    binding = "R2"
    bucket_name = "photos"
    [[r2_buckets]]
    binding = "EU"
    bucket_name = "photos"
    jurisdiction = "eu"
    [[r2_buckets]]
    binding = "PREVIEW"
    bucket_name = "photos"
    preview_bucket_name = "other"
"""
CODE = """
    const attempt = async (action) => {
      try {
        return await action();
      } catch (error) {
        return new Response(error.message, { status: 500 });
      }
    };
    export default {
      async fetch(request, env) {
        const url = new URL(request.url);
        const key = decodeURIComponent(url.pathname.slice(1));
        const { bucket = "R2", ...options } = Object.fromEntries(url.searchParams);
        const R2 = env[bucket];
        return attempt(async () => {
          if (request.method === "PUT") {
            const made = await R2.put(key, request.body, options);
            return Response.json(made.etag);
          }
          const found = await R2.get(key, options);
          if (!found) return new Response("absent", { status: 404 });
          return new Response(found.body, { headers: { etag: found.httpEtag } });
        });
      },
    };
"""


@pytest.fixture(scope="module")
def r2(shared_dev: Nodes) -> Node:
    return shared_dev(worker(CODE, TABLE))


def test_dev_shows_its_buckets(r2: Node) -> None:
    assert "env.R2       R2 bucket  photos" in r2.output
    assert "env.EU       R2 bucket  eu/photos" in r2.output
    assert "env.PREVIEW  R2 bucket  other" in r2.output


def test_buckets_of_jurisdictions_and_previews_are_others(r2: Node) -> None:
    r2.request("/k", method="PUT", body="here")
    assert r2.request("/k").text == "here"
    assert r2.request("/k?bucket=EU").status == 404
    assert r2.request("/k?bucket=PREVIEW").status == 404


def test_a_key_of_the_client_is_refused_clearly(r2: Node) -> None:
    """SSE-C must not look as if it were there."""
    refused = r2.request("/k?ssecKey=" + "aa" * 32, method="PUT", body="secret")
    assert refused.text == (
        "put: selfedge does not encrypt objects with keys of clients (SSE-C): "
        "leave ssecKey out. (10029)"
    )


def test_another_storage_class_is_refused(r2: Node) -> None:
    refused = r2.request("/k?storageClass=Cold", method="PUT", body="x")
    assert "Standard, InfrequentAccess" in refused.text


def test_a_large_object_is_read_as_it_was_written(r2: Node) -> None:
    value = bytes(range(256)) * 4096 * 24
    made = r2.request("/large", method="PUT", body=value)
    assert made.json() == hashlib.md5(value).hexdigest()  # noqa: S324
    assert r2.request("/large").body == value


def test_a_truncated_upload_stores_nothing(r2: Node) -> None:
    r2.request("/cut", method="PUT", body="whole")
    blobs = r2.project / ".selfedge" / "r2" / "blobs"
    with closing(socket.create_connection(("127.0.0.1", r2.port))) as client:
        head = f"PUT /cut HTTP/1.1\r\nHost: x\r\nContent-Length: {8 * MIB}\r\n\r\n"
        client.sendall(head.encode() + bytes(3 * MIB))
        r2.wait_until(lambda _: bool(list(blobs.glob("*.part"))), "/cut")
    r2.wait_until(lambda _: not list(blobs.glob("*.part")), "/cut")
    assert r2.request("/cut").text == "whole"


def test_kept_over_a_restart(dev: Nodes) -> None:
    """State is in the project's folder, and is there again."""
    node = dev(worker(CODE, TABLE))
    large = b"x" * MIB
    node.request("/small", method="PUT", body="value")
    node.request("/large", method="PUT", body=large)
    node.restart()
    assert node.request("/small").text == "value"
    assert node.request("/large").body == large


def test_a_wrong_table_is_told_with_its_place(dev: Nodes) -> None:
    table = json.dumps([{"binding": "R2", "bucket_name": 5}])
    node = dev.launch(worker(CODE, f"r2_buckets = {table.replace(':', ' =')}"))
    assert node.wait_exit() == 2
    assert "wrangler.toml" in node.output
    assert "bucket_name" in node.output


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of moto's
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_store_of_selfedge_toml_holds_large_objects(
    dev: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in it is there again after a restart; the disk holds none of it."""
    monkeypatch.setenv("STORE_KEY", KEYS[0])
    monkeypatch.setenv("STORE_SECRET", KEYS[1])
    large = b"0123456789" * MIB
    with s3_store("bodies") as url:
        table = (
            f'[r2]\nurl = "s3://bodies/mine"\nendpoint = "{url}"\n'
            'key_env = "STORE_KEY"\nsecret_env = "STORE_SECRET"\n'
        )
        node = dev(worker(CODE, TABLE, files={"selfedge.toml": table}))
        node.request("/large", method="PUT", body=large)
        node.wait_for_line("R2 keeps new objects in s3://bodies/mine")
        node.restart()
        assert node.request("/large").body == large
        assert not list((node.project / ".selfedge" / "r2" / "blobs").iterdir())
        node.stop()


def test_a_wrong_store_of_selfedge_toml_is_told(dev: Nodes) -> None:
    files = {"selfedge.toml": '[r2]\nurl = "http://x"\n'}
    node = dev.launch(worker(CODE, TABLE, files=files))
    assert node.wait_exit() == 2
    assert "[r2]" in node.output
    assert "Traceback" not in node.output
