"""Vectorize in dev: from a Worker, unmodified wrangler, the SDK and our commands."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import cloudflare
import pytest

from harness import Node, Nodes, processes, worker
from harness.node import COMMAND
from harness.wrangler import Wrangler

CODE = """
    export default {
      async fetch(request: Request, env: any): Promise<Response> {
        const { method, args } = await request.json() as any;
        try {
          return Response.json(await env.INDEX[method](...args));
        } catch (error) {
          return new Response(error.message, { status: 502 });
        }
      },
    };
"""
TABLES = """
    [ai]
    binding = "AI"
    [[vectorize]]
    binding = "INDEX"
    index_name = "films"
"""
FILMS = [
    {"id": "a", "values": [1, 0, 0], "metadata": {"genre": "noir", "year": 1944}},
    {"id": "b", "values": [0, 1, 0], "metadata": {"genre": "war", "year": 1979}},
    {"id": "c", "values": [0, 0, 1], "namespace": "new", "metadata": {"year": 2020}},
]
pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def node(shared_dev: Nodes) -> Node:
    return shared_dev(worker(CODE, TABLES))


@pytest.fixture(scope="module")
def wrangler(tmp_path_factory: pytest.TempPathFactory) -> Wrangler:
    return Wrangler.installed(tmp_path_factory.mktemp("wrangler"))


def call(node: Node, method: str, *arguments: object) -> Any:
    answer = node.request(json_body={"method": method, "args": arguments})
    assert answer.status == 200, answer
    return answer.json()


def command(node: Node, *arguments: str, code: int = 0) -> str:
    """Run `selfedge vectorize …` in the project's folder."""
    done = subprocess.run(
        [COMMAND, "vectorize", *arguments],
        cwd=node.project,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def lines(path: Path, vectors: list[Any]) -> str:
    path.write_text("".join(json.dumps(vector) + "\n" for vector in vectors))
    return str(path)


def test_wrangler_does_all_of_it(
    node: Node, wrangler: Wrangler, tmp_path: Path
) -> None:
    def run(*arguments: str, code: int = 0) -> str:
        done = wrangler(node.api, "vectorize", *arguments)
        assert done.code == code, done.text
        return done.text

    run("create", "films", "--dimensions=3", "--metric=euclidean")
    assert "duplicate_name" in run(
        "create", "films", "--dimensions=3", "--metric=cosine", code=1
    )
    run("create-metadata-index", "films", "--property-name=genre", "--type=string")
    run("create-metadata-index", "films", "--property-name=year", "--type=number")
    assert "genre" in run("list-metadata-index", "films")
    run("insert", "films", "--file", lines(tmp_path / "f.ndjson", FILMS))
    assert "euclidean" in run("get", "films")
    assert "films" in run("list")
    assert "3" in run("info", "films")
    found = run(
        "query",
        "films",
        "--vector",
        *("0.9", "0.1", "0"),
        "--filter",
        '{"year": {"$lt": 1990}}',
        "--return-metadata=all",
    )
    assert '"noir"' in found
    assert '"c"' not in found
    assert '"b"' in run("query", "films", "--vector-id", "b", "--top-k", "1")
    assert '"new"' in run("get-vectors", "films", "--ids", "c")
    assert "mutation" in run("delete-vectors", "films", "--ids", "c").lower()
    assert "b" in run("list-vectors", "films", "--count=2")
    run("delete-metadata-index", "films", "--property-name=genre")
    # What wrangler wrote is what the Worker sees.
    (match,) = call(node, "query", [1, 0, 0], {"topK": 1})["matches"]
    assert (match["id"], match["score"]) == ("a", 0)
    run("create", "small", "--preset", "@cf/baai/bge-small-en-v1.5")
    assert "384" in run("get", "small")
    run("delete", "small", "--force")
    assert "3000" in run("get", "small", code=1)
    run("delete", "films", "--force")


@pytest.mark.filterwarnings("ignore:Passing raw bytes:DeprecationWarning")
def test_the_sdk_does_all_of_it(node: Node) -> None:
    address = node.api
    account = {"account_id": address.account}
    with cloudflare.Cloudflare(
        api_token=address.token, base_url=address.url, max_retries=0
    ) as client:
        indexes = client.vectorize.indexes
        config = {"dimensions": 3, "metric": "dot-product"}
        made = indexes.create(name="sdk", config=config, **account)
        assert made is not None
        assert made.name == "sdk"
        fields = indexes.metadata_index
        fields.create("sdk", property_name="year", index_type="number", **account)
        listed = fields.list("sdk", **account)
        assert listed is not None
        body = "\n".join(json.dumps(film) for film in FILMS).encode()
        assert indexes.insert("sdk", body=body, **account).mutation_id
        assert indexes.upsert("sdk", body=body, **account).mutation_id
        info = indexes.info("sdk", **account)
        assert info.vector_count == 3
        found = indexes.query(
            "sdk", vector=[1, 2, 0], filter={"year": {"$gte": 1970}}, **account
        )
        assert [(one.id, one.score) for one in found.matches] == [("b", -2), ("c", 0)]
        got = indexes.get_by_ids("sdk", ids=["c", "a"], **account)
        assert [one["id"] for one in got] == ["c", "a"]
        indexes.delete_by_ids("sdk", ids=["a"], **account)
        page = indexes.list_vectors("sdk", count=1, **account)
        assert (page.count, page.total_count, page.is_truncated) == (1, 2, True)
        rest = indexes.list_vectors("sdk", cursor=page.next_cursor, **account)
        ids = [one.id for one in (*page.vectors, *rest.vectors)]
        assert sorted(ids) == ["b", "c"]
        assert not rest.is_truncated
        assert len(list(indexes.list(**account))) >= 1
        with pytest.raises(cloudflare.BadRequestError) as refused:
            indexes.insert("sdk", body=b'{"id":"x","values":[1]}', **account)
        assert refused.value.errors[0].code == 40012
        indexes.delete("sdk", **account)
        with pytest.raises(cloudflare.NotFoundError) as missing:
            indexes.insert("sdk", body=body, **account)
        assert missing.value.errors[0].code == 3000


def test_our_commands_do_all_of_it(node: Node, tmp_path: Path) -> None:
    command(node, "create", "mine", "--dimensions", "3", "--metric", "cosine")
    command(
        node,
        *("create-metadata-index", "mine", "--property-name", "year"),
        *("--type", "number"),
    )
    many = [{"id": f"v{n}", "values": [n + 1, 1, 0]} for n in range(2500)]
    file = lines(tmp_path / "many.ndjson", [*many, *FILMS])
    assert "2503 vectors" in command(node, "upsert", "mine", "--file", file)
    assert '"vectorCount": 2503' in command(node, "info", "mine")
    found = command(
        node, "query", "mine", "--vector", "0,0,1", "--filter", '{"year": 2020}'
    )
    assert [one["id"] for one in json.loads(found)["matches"]] == ["c"]
    command(node, "delete-vectors", "mine", "--ids", "v0", "--ids", "v1")
    assert "mine compacted" in command(node, "compact", "mine")
    copy = tmp_path / "copy.ndjson"
    assert "2501 vectors" in command(node, "export", "mine", "--file", str(copy))
    command(node, "create", "copy", "--dimensions", "3", "--metric", "cosine")
    command(node, "import", "copy", "--file", str(copy))
    assert command(node, "get-vectors", "copy", "--ids", "c") == command(
        node, "get-vectors", "mine", "--ids", "c"
    )
    assert "copy" in command(node, "list")
    assert json.loads(command(node, "list-vectors", "copy"))["isTruncated"]
    for name in ("mine", "copy"):
        command(node, "delete", name, "--force")
    assert "no index is named" in command(node, "info", "mine", code=2)
    assert "40026" not in command(
        node, "query", "mine", "--vector", "x", code=2
    )  # told before anything is sent


def test_texts_are_embedded_by_a_command(node: Node, tmp_path: Path) -> None:
    model = ("--model", "@cf/baai/bge-small-en-v1.5")
    command(node, "create", "texts", "--preset", "@cf/baai/bge-small-en-v1.5")
    texts = [
        {"id": "cat", "text": "A cat sleeps on the sofa."},
        {"id": "stock", "text": "Shares fell sharply on Monday."},
    ]
    file = lines(tmp_path / "texts.ndjson", texts)
    command(node, "insert", "texts", "--file", file, *model)
    command(node, "upsert", "texts", "--id", "dog", "--text", "A dog barks.", *model)
    found = command(
        node,
        *("query", "texts", "--text", "a kitten on a couch", *model),
        *("--return-metadata", "all"),
    )
    matches = json.loads(found)["matches"]
    assert matches[0]["id"] == "cat"
    assert matches[0]["metadata"] == {"text": texts[0]["text"]}
    assert len(matches) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_sigkill_of_an_index_process_is_not_noticed(dev: Nodes) -> None:
    node = dev(worker(CODE, TABLES))
    for number in range(5):
        vector = {"id": f"v{number}", "values": [number, 1, 0]}
        call(node, "upsert", [vector, {"id": "last", "values": [number, 0, 1]}])
        for pid in hosts(node):
            os.kill(pid, signal.SIGKILL)
        got = call(node, "getByIds", [f"v{number}", "last"])
        assert [one["values"][0] for one in got] == [number, number]
    assert call(node, "describe")["vectorCount"] == 6
    os.kill(node.process.pid, signal.SIGKILL)
    node.wait_exit()
    assert not processes.gone(node.mark, within_s=10)


def hosts(node: Node) -> list[int]:
    """Return the pids of the processes that hold its indexes."""
    children = Path(f"/proc/{node.process.pid}/task").glob("*/children")
    pids = [int(pid) for file in children for pid in file.read_text().split()]
    mark = b"selfedge.bindings.vectorize.engine.host"
    return [pid for pid in pids if mark in Path(f"/proc/{pid}/cmdline").read_bytes()]
