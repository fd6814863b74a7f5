"""Workers run in a room of their own; nothing of it stays when they end."""

import os
import signal
import time
from pathlib import Path

import pytest

from selfedge.settings import cache_dir
from selfedge.supervisor.sandbox import sandbox_for
from selfedge.workerd.install import engine

HELLO = "export default { fetch: () => new Response('hello') }"
COUNTER = """
import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  async add() {
    const count = ((await this.ctx.storage.get("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    return count;
  }
}
export default { async fetch(request, env) {
  const counter = env.COUNTER.get(env.COUNTER.idFromName("one"));
  return new Response(String(await counter.add()));
} }
"""
OBJECTS = [
    {"type": "durable_object_namespace", "name": "COUNTER", "class_name": "Counter"}
]
_POLL_S = 0.02


@pytest.fixture(scope="module", autouse=True)
def possible():
    found = engine(cache_dir(), os.environ)
    sandbox, why = sandbox_for(found.workerd, "auto")
    if sandbox is None:
        pytest.skip(why)


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve("--sandbox", "require")


def test_the_start_says_that_there_is_a_sandbox(node):
    node.wait_for_line(r"^selfedge: Workers run in a sandbox: /")


def test_a_process_sees_its_own_sockets_and_no_secret(node):
    node.deploy("hello", HELLO)
    assert node.get("hello").text == "hello"
    root = Path(f"/proc/{node.process_of('hello')['pid']}/root")
    seen = root / node.data.relative_to("/")
    assert {path.name for path in seen.iterdir()} == {"run"}
    names = [path.name for path in (seen / "run").iterdir()]
    assert sorted(name[0] for name in names) == ["e", "g", "i"]
    assert len(list((seen / "run" / "e").iterdir())) == 1  # of its account
    assert not (root / "etc" / "passwd").exists()
    assert not (root / "usr" / "bin").exists()
    assert [path.name for path in (root / "proc").iterdir()] == ["self"]


def test_a_process_has_no_rights_and_knows_no_other(node):
    node.deploy("hello", HELLO)
    node.get("hello")
    proc = Path(f"/proc/{node.process_of('hello')['pid']}")
    status = dict(
        line.split(":\t", 1) for line in (proc / "status").read_text().splitlines()
    )
    assert int(status["CapEff"], 16) == 0
    assert status["NSpid"].split()[-1] == "1"
    assert (proc / "environ").read_bytes() == b"PWD=/\0"


def test_durable_objects_write_to_their_folder(node):
    migrations = {"new_tag": "v1", "new_sqlite_classes": ["Counter"]}
    node.deploy("counts", COUNTER, OBJECTS, migrations=migrations)
    assert [node.get("counts").text for _ in range(3)] == ["1", "2", "3"]
    node.deploy("counts", COUNTER + "// again", OBJECTS)
    assert node.get("counts").text == "4"


def test_when_bubblewrap_is_killed_the_engine_ends_and_starts_again(node):
    node.deploy("killed", HELLO)
    node.get("killed")
    pid = node.process_of("killed")["pid"]
    os.kill(_parent(pid), signal.SIGKILL)
    assert _left([pid]) == []
    node.wait_until(
        lambda answer: answer.text == "hello", headers={"host": "killed.localhost"}
    )
    assert node.process_of("killed")["pid"] != pid


def test_nothing_stays_when_the_node_is_killed(serve):
    node = serve("--sandbox", "require")
    node.deploy("hello", HELLO)
    node.get("hello")
    pids = [one["pid"] for one in node.processes() if one["pid"]]
    node.process.kill()
    assert _left(pids) == []


def test_without_a_sandbox_the_start_says_so(serve):
    node = serve("--sandbox", "off")
    node.wait_for_line(r"^selfedge: Workers run without a sandbox: --sandbox off")
    node.deploy("hello", HELLO)
    assert node.get("hello").text == "hello"


def _left(pids: list[int], *, within_s: float = 5.0) -> list[int]:
    """Wait until these processes are gone; return those that stay."""
    deadline = time.monotonic() + within_s
    while any(_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return [pid for pid in pids if _alive(pid)]


def _parent(pid: int) -> int:
    text = Path(f"/proc/{pid}/stat").read_text()
    return int(text.rpartition(")")[2].split()[1])


def _alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
