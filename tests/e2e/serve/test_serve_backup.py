"""A backup that is taken while clients write holds all that was acknowledged before."""

import subprocess
import tarfile
from pathlib import Path
from threading import Event, Thread

import pytest

from harness.node import COMMAND, Node

WRITER = """
import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  async add() {
    const count = ((await this.ctx.storage.get("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    return count;
  }
  async get() { return (await this.ctx.storage.get("count")) ?? 0; }
}
export default { async fetch(request, env) {
  const { pathname, searchParams } = new URL(request.url);
  const n = searchParams.get("n");
  const counter = env.COUNTER.get(env.COUNTER.idFromName("one"));
  if (pathname === "/write") {
    await env.KV.put(`key${n}`, n);
    await env.BUCKET.put("object", n);
    await env.DB.prepare("INSERT INTO numbers VALUES (?)").bind(Number(n)).run();
    return Response.json({ count: await counter.add() });
  }
  const row = await env.DB.prepare("SELECT max(n) AS n FROM numbers").first();
  return Response.json({
    key: await env.KV.get(`key${n}`),
    object: Number(await (await env.BUCKET.get("object")).text()),
    row: row.n,
    count: await counter.get(),
    secret: env.SECRET,
  });
} }
"""


class Load:
    """Writes one number after the other, and knows the last that was acknowledged."""

    def __init__(self, node):
        self._node = node
        self._stop = Event()
        self._thread = Thread(target=self._run)
        self.last = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        while not self._stop.is_set():
            answer = self._node.get("writer", f"/write?n={self.last + 1}")
            assert answer.status == 200, answer.text
            self.last += 1

    def until(self, number):
        while self.last < number:
            self._thread.join(0.01)
            assert self._thread.is_alive()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def node(serve):
    node = serve()
    kv = node.result("POST", "/storage/kv/namespaces", {"title": "kv"})["id"]
    node.result("POST", "/r2/buckets", {"name": "bucket"})
    db = node.result("POST", "/d1/database", {"name": "db"})["uuid"]
    sql = {"sql": "CREATE TABLE numbers (n INTEGER)"}
    node.result("POST", f"/d1/database/{db}/query", sql)
    bindings = [
        {
            "type": "durable_object_namespace",
            "name": "COUNTER",
            "class_name": "Counter",
        },
        {"type": "kv_namespace", "name": "KV", "namespace_id": kv},
        {"type": "r2_bucket", "name": "BUCKET", "bucket_name": "bucket"},
        {"type": "d1", "name": "DB", "id": db},
        {"type": "secret_text", "name": "SECRET", "text": "hush"},
    ]
    migrations = {"new_tag": "v1", "new_sqlite_classes": ["Counter"]}
    node.deploy("writer", WRITER, bindings, migrations=migrations)
    return node


def test_what_was_acknowledged_before_a_backup_is_there_after_a_restore(
    node, serve, tmp_path
):
    file, fresh = tmp_path / "node.tar", tmp_path / "fresh"
    with Load(node) as load:
        load.until(20)
        before = load.last
        done = run("backup", str(file), "--data-dir", str(node.data))
        assert done.returncode == 0, done.stderr
        after = load.last
        load.until(after + 3)
    assert "It holds secrets" in done.stdout
    assert file.stat().st_mode & 0o777 == 0o600
    assert not (node.data / "backup.part").exists()
    done = run("restore", str(file), "--data-dir", str(fresh))
    assert done.returncode == 0, done.stderr

    again = serve.launch("--data-dir", str(fresh))
    Node.ready(again)  # it is not new, and prints no token
    found = again.get("writer", f"/?n={before}").json()
    assert found["key"] == str(before)
    assert found["secret"] == "hush"
    for name in ("object", "row", "count"):
        assert before <= found[name] <= after + 1, (name, before, found, after)
    again.get("writer", "/write?n=1000")
    assert again.get("writer", "/?n=1000").json()["count"] == found["count"] + 1


def test_vectors_are_in_a_backup(serve, tmp_path):
    node, index = serve(), "/vectorize/v2/indexes/places"
    config = {"dimensions": 3, "metric": "cosine"}
    node.result("POST", "/vectorize/v2/indexes", {"name": "places", "config": config})
    lines = b"".join(
        b'{"id":"%d","values":[%d,1,0]}\n' % (number, number) for number in range(50)
    )
    sent = node.call(
        "POST",
        f"{index}/insert",
        body=lines,
        headers={"content-type": "application/x-ndjson"},
    )
    assert sent.status == 200, sent.text
    file, fresh = tmp_path / "node.tar", tmp_path / "fresh"
    done = run("backup", str(file), "--data-dir", str(node.data))
    assert (done.returncode, done.stderr) == (0, "")
    assert run("restore", str(file), "--data-dir", str(fresh)).returncode == 0

    again = serve.launch("--data-dir", str(fresh))
    Node.ready(again)
    again._address = node.api  # tokens are in the backup, too
    assert again.result("GET", f"{index}/info")["vectorCount"] == 50
    found = again.result("POST", f"{index}/query", {"vector": [7, 1, 0], "topK": 1})
    assert found["matches"][0]["id"] == "7"


def test_a_directory_that_is_not_empty_is_left_alone(node, tmp_path):
    file = tmp_path / "node.tar"
    assert run("backup", str(file), "--data-dir", str(node.data)).returncode == 0
    done = run("restore", str(file), "--data-dir", str(node.data))
    assert done.returncode == 2
    assert "is not empty" in done.stderr
    done = run("backup", str(file), "--data-dir", str(node.data))
    assert done.returncode == 2
    assert "is there already" in done.stderr


def test_a_backup_that_is_cut_or_changed_is_refused(node, tmp_path):
    file, bad = tmp_path / "node.tar", tmp_path / "bad.tar"
    assert run("backup", str(file), "--data-dir", str(node.data)).returncode == 0
    whole = file.read_bytes()
    with tarfile.open(file) as tar:
        entry = next(one for one in tar if one.name.startswith("catalog/"))
        at = entry.offset_data
    changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    for content in (whole[: len(whole) // 2], changed, b"no tar at all", b""):
        bad.write_bytes(content)
        done = run("restore", str(bad), "--data-dir", str(tmp_path / "fresh"))
        assert done.returncode == 2, (done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "fresh").exists()
    assert [path.name for path in tmp_path.glob(".fresh*")] == []


def test_a_folder_without_a_catalog_is_no_data_directory(tmp_path):
    done = run("backup", str(tmp_path / "x.tar"), "--data-dir", str(tmp_path))
    assert done.returncode == 2
    assert "is not the data directory of a node" in done.stderr


def test_a_file_that_would_leave_the_directory_is_refused(tmp_path):
    file = tmp_path / "evil.tar"
    about, evil = tmp_path / "about", tmp_path / "evil"
    about.write_text('{"format":1,"selfedge":"0.1.0"}')
    evil.write_text("evil")
    with tarfile.open(file, "w") as tar:
        tar.add(about, "selfedge-backup.json")
        tar.add(evil, "../escaped")
    done = run("restore", str(file), "--data-dir", str(tmp_path / "fresh"))
    assert done.returncode == 2
    assert "wrong name" in done.stderr
    assert not Path(tmp_path, "escaped").exists()
