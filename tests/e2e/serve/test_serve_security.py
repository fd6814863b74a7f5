"""What must not be reachable, forged, shown or lost."""

import hashlib
import http.client
import os
import socket
import tempfile
from pathlib import Path

import pytest

WRITES = """export default { async fetch(request, env) {
  if (request.method === "PUT") await env.KV.put("key", await request.text());
  return new Response(await env.KV.get("key"));
} }"""
HELLO = "export default { fetch: () => new Response('hello') }"
SECRET = "v3ry-s3cret-value"


def run_folder(node):
    folder = node.data / "run"
    if folder.exists():
        return folder
    digest = hashlib.sha256(os.fsencode(node.data)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"selfedge-{os.getuid()}-{digest}"


def ask_services(path, identity, target="/key?urlencoded=true"):
    """Ask the services of a group as its engine does, in another's name."""
    connection = http.client.HTTPConnection("services")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(path))
    connection.request("GET", target, headers={"selfedge-binding": identity})
    answer = connection.getresponse()
    status = answer.status
    connection.close()
    return status


def test_a_group_that_forges_the_identity_of_anothers_binding_is_refused(serve):
    node = serve()
    kv = node.kv("mine")
    mine = f"kv:{kv['namespace_id']}"
    node.deploy("writer", WRITES, [kv])
    assert node.get("writer", method="PUT", body="mine").text == "mine"
    node.deploy("hello", HELLO)
    node.get("hello")
    gates = sorted(run_folder(node).glob("g*/services"))
    own, other = gates
    assert ask_services(own, mine) == 200
    for forged in (mine, "kv:other", "edge:writer", "front:front", "tail:writer"):
        assert ask_services(other, forged) == 403
    for forged in ("", "nonsense", "kv:", "ai:../x", "vectorize:x"):
        assert ask_services(own, forged) == 403


def test_private_sockets_are_for_the_nodes_user_only(serve):
    node = serve()
    folder = run_folder(node)
    assert folder.stat().st_mode & 0o777 == 0o700
    for inside in folder.iterdir():
        if inside.is_dir():
            assert inside.stat().st_mode & 0o077 == 0
    assert (node.data / "secrets" / "key").exists() is False or (
        (node.data / "secrets" / "key").stat().st_mode & 0o077 == 0
    )


def test_secrets_are_told_to_their_worker_alone(serve):
    node = serve()
    code = """export default { fetch(request, env) {
      return new Response(env.SECRET.length.toString()); } }"""
    secret = {"type": "secret_text", "name": "SECRET", "text": SECRET}
    node.deploy("keeper", code, [secret])
    assert node.get("keeper").text == str(len(SECRET))
    versions = node.result("GET", "/workers/scripts/keeper/versions")["items"]
    for path in (
        "/workers/scripts",
        "/workers/scripts/keeper/settings",
        "/workers/scripts/keeper/secrets",
        "/workers/scripts/keeper/deployments",
        f"/workers/scripts/keeper/versions/{versions[0]['id']}",
        "/workers/services/keeper",
        "//node/status",
    ):
        answer = node.call("GET", path)
        assert answer.status == 200, path
        assert SECRET not in answer.text, path
    assert SECRET not in node.output
    node.stop()
    token = node._address.token
    for file in node.data.rglob("*"):
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes(), file
            assert token.encode() not in file.read_bytes(), file


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a/../../b.js", "..\\b.js", "a\0b"]
)
def test_module_names_cannot_leave_their_folder(serve, name):
    node = serve()
    module = {name: ("text/plain", b"content")}
    answer = node.upload("escape", HELLO, modules=module)
    assert 400 <= answer.status < 500, answer.text
    assert answer.json()["errors"]


def test_code_with_a_compatibility_flag_that_is_unsafe_is_refused(serve):
    node = serve()
    for flag in ("unsafe_module", "experimental", "service_binding_extra_handlers"):
        answer = node.upload("unsafe", HELLO, compatibility_flags=[flag])
        assert answer.status == 400
        assert flag in answer.text


def test_a_damaged_catalog_is_told_and_the_last_good_one_used(serve):
    node = serve()
    node.deploy("one", HELLO)
    node.deploy("two", HELLO)
    node.stop()
    newest = max((node.data / "catalog").glob("*.json"), key=lambda p: int(p.stem))
    newest.write_bytes(newest.read_bytes()[:-20])
    node.start_again()
    assert newest.name in node.output
    assert node.get("one").text == "hello"


def test_a_data_directory_that_is_in_use_is_refused(serve):
    node = serve()
    other = serve.launch("--data-dir", str(node.data))
    assert other.wait_exit() == 1
    assert "in use by another selfedge" in other.output


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_told_and_what_runs_goes_on(serve, small_data):
    node = serve("--data-dir", str(small_data))
    node.deploy("writer", WRITES, [node.kv("mine")])
    assert node.get("writer", method="PUT", body="before").text == "before"
    filler = small_data / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                file.write(b"x" * 65536)
                file.flush()
        except OSError:
            pass
    big = HELLO + "//" + "x" * 500_000
    answer = node.upload("late", big)
    assert answer.status >= 400
    assert "disk" in answer.text.lower() or "space" in answer.text.lower()
    assert node.get("writer").text == "before"
    filler.unlink()
    node.deploy("late", big)
    assert node.get("late").text == "hello"
