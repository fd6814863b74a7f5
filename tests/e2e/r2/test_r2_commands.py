"""`selfedge r2` as a person types it, on a running node."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness import Node, Nodes, worker

COMMAND = Path(sys.executable).with_name("selfedge")
MIB = 1024 * 1024
TABLE = """
    [[r2_buckets]]
    binding = "R2"
    bucket_name = "bound"
"""
CODE = "export default { fetch: () => new Response('hello') };"


@pytest.fixture(scope="module")
def node(shared_dev: Nodes) -> Node:
    node = shared_dev(worker(CODE, TABLE))
    assert node.api  # it answers a moment after the first request
    return node


def run(
    node: Node, *arguments: str, given: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CLOUDFLARE_")}
    return subprocess.run(
        [COMMAND, "r2", *arguments],
        cwd=node.project,
        env=kept,
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
    )


def good(node: Node, *arguments: str, given: bytes = b"") -> bytes:
    done = run(node, *arguments, given=given)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def refused(node: Node, *arguments: str) -> str:
    done = run(node, *arguments)
    assert done.returncode == 2, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    return done.stderr.decode()


def test_buckets_from_their_making_to_their_end(node: Node) -> None:
    good(node, "bucket", "create", "mine", "-s", "infrequentaccess")
    names = [one["name"] for one in json.loads(good(node, "bucket", "list", "--json"))]
    assert names == ["bound", "mine"]
    assert b"mine " in good(node, "bucket", "list")
    good(node, "object", "put", "mine/k", "--pipe", given=b"12345")
    told = json.loads(good(node, "bucket", "info", "mine", "--json"))
    assert (told["objects"], told["bytes"]) == (1, 5)
    assert told["storage_class"] == "InfrequentAccess"
    assert "not empty" in refused(node, "bucket", "delete", "mine")
    good(node, "object", "delete", "mine/k")
    assert good(node, "bucket", "delete", "mine") == b"Deleted bucket mine\n"
    assert "does not exist" in refused(node, "bucket", "info", "mine")


def test_a_large_file_comes_back_as_it_was(node: Node) -> None:
    value = bytes(range(256)) * 4096 * 20
    (node.project / "large").write_bytes(value)
    path = "bound/dir/ü large?"
    made = good(node, "object", "put", path, "-f", "large", "--ct=a/b", "--json")
    assert json.loads(made)["size"] == str(len(value))
    good(node, "object", "get", path)
    assert (node.project / "ü large?").read_bytes() == value
    assert good(node, "object", "get", path, "--pipe") == value
    (node.project / "ü large?").unlink()
    (node.project / "large").unlink()
    listed = json.loads(good(node, "object", "list", "bound", "--json"))
    (found,) = (one for one in listed["objects"] if one["key"] == "dir/ü large?")
    assert found["http_metadata"] == {"contentType": "a/b"}
    shown = good(node, "object", "list", "bound", "--delimiter=/").decode()
    assert shown.split() == ["dir/"]
    assert good(node, "object", "delete", path, "--remote", "--force")
    assert "does not exist" in refused(node, "object", "get", path, "--pipe")


def test_a_jurisdiction_is_another_place(node: Node) -> None:
    good(node, "bucket", "create", "far", "-J", "eu")
    good(node, "object", "put", "far/k", "-p", "-J", "eu", given=b"x")
    assert good(node, "object", "get", "far/k", "-p", "-J", "eu") == b"x"
    assert "does not exist" in refused(node, "object", "get", "far/k", "-p")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["object", "put", "bound/k"], "--pipe"),
        (["object", "put", "bound", "--pipe"], "BUCKET/KEY"),
        (["object", "put", "bound/k", "--file", "absent"], "does not exist"),
        (["object", "put", "bound/k", "-p", "--expires", "soon"], "Expires"),
        (["object", "get", "bound/absent"], "does not exist"),
        (["object", "list", "absent"], "does not exist"),
        (["bucket", "create", "Ü"], "lower-case"),
        (["bucket", "create", "bound"], "already exists"),
    ],
)
def test_what_is_wrong_is_told(node: Node, arguments: list[str], said: str) -> None:
    assert said in refused(node, *arguments)
    assert not (node.project / "absent").exists()
