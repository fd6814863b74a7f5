"""What is left after a restart, a SIGKILL, and damage."""

import asyncio
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import vectorize_writer as writer
from vectorize_support import Node, node, on_node, service

from selfedge.bindings.vectorize.engine.contract import Vector
from selfedge.bindings.vectorize.errors import IndexFailed

WRITER = Path(__file__).with_name("vectorize_writer.py")


def killed_writer(home: Path, source: random.Random, *how: str) -> int:
    """Let a writer work, SIGKILL it, and return its last acknowledged number."""
    child = subprocess.Popen(
        [sys.executable, str(WRITER), str(home), *how],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    wanted = source.randint(1, 25)
    done = []
    for line in child.stdout:
        done.append(int(line))
        if len(done) == wanted:
            break
    if source.random() < 0.5:  # half of them within the next write
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(source.random() * 0.01)
    child.kill()
    done.extend(int(line) for line in child.stdout)
    child.stdout.close()
    child.wait()
    return done[-1]


async def contents(home: Path) -> tuple[int, dict[str, float], int]:
    """Return the newest mutation's number, id → first value, and the count."""
    service = writer.made(home)
    found = {}
    for vector in await service.get("i", writer.UNIVERSE):
        found[vector.id] = vector.values[0]
    info = await service.describe("i")
    await service.close()
    assert info.processed is not None
    return int(info.processed[1:]), found, info.vectors


def check_rounds(home: Path, rounds: int, *how: str) -> None:
    source = random.Random(rounds)  # noqa: S311 - no secret
    kept: dict[str, float] = {}
    applied = 0
    for _ in range(rounds):
        acknowledged = killed_writer(home, source, *how)
        newest, found, count = asyncio.run(contents(home))
        assert acknowledged <= newest <= acknowledged + 1
        for number in range(applied + 1, newest + 1):
            writer.apply(kept, writer.mutation(number))
        applied = newest
        if found != kept:  # killed between the last update and its note
            writer.apply(kept, writer.mutation(newest + 1))
        assert found == kept
        assert count == len(kept)


@pytest.mark.slow
def test_what_was_acknowledged_survives_sigkill_and_nothing_is_halved(
    tmp_path: Path,
) -> None:
    check_rounds(tmp_path, 6)


@pytest.mark.slow
def test_a_writer_whose_engine_is_a_child_loses_nothing_either(tmp_path: Path) -> None:
    check_rounds(tmp_path, 4, "hosted")


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", [(), ("hosted",)])
def test_fifty_sigkills_lose_nothing(tmp_path: Path, how: tuple[str, ...]) -> None:
    check_rounds(tmp_path, 50, *how)


def test_a_restart_keeps_everything(tmp_path: Path) -> None:
    vector = {"id": "a", "values": [1, 2], "metadata": {"k": "é"}, "namespace": "n"}

    async def run() -> None:
        async with node(tmp_path) as first:
            await first.write("/insert", vector)
            info = await first.call("GET", "/info")
        async with node(tmp_path) as second:
            assert await second.call("GET", "/info") == info
            assert await second.call("POST", "/getByIds", {"ids": ["a"]}) == (
                200,
                [vector],
            )
            assert (await second.query([1, 2], namespace="n"))[0]["id"] == "a"
            assert second.notices == []

    asyncio.run(run())


def test_a_crash_while_an_index_is_made_leaves_a_usable_one(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "vectorize" / "docs"

    async def run() -> None:
        async with node(tmp_path) as first:
            await first.write("/insert", {"id": "a", "values": [1, 2]})
        state = json.loads((folder / "index.json").read_bytes())
        state |= {"mutation": None, "processed": None}
        (folder / "index.json").write_text(json.dumps(state))
        (folder / "shard" / "edge_config.json").write_bytes(b"{")
        async with node(tmp_path) as second:
            assert (await second.call("GET", "/info"))[1]["vectorCount"] == 0
            await second.write("/insert", {"id": "b", "values": [1, 2]})
            assert [match["id"] for match in await second.query([1, 2])] == ["b"]

    asyncio.run(run())


def _truncated_index(folder: Path) -> None:
    (folder / "index.json").write_bytes(b'{"name"')


def _no_index(folder: Path) -> None:
    (folder / "index.json").unlink()


def _garbage_config(folder: Path) -> None:
    (folder / "shard" / "edge_config.json").write_bytes(b"\xff\xfe")


def _no_shard(folder: Path) -> None:
    shutil.rmtree(folder / "shard")


def _no_vectors(folder: Path) -> None:
    for status in folder.glob("shard/segments/*/vector_storage/vectors/status.dat"):
        status.unlink()


def _short_status(folder: Path) -> None:
    for status in folder.glob("shard/segments/*/vector_storage/vectors/status.dat"):
        status.write_bytes(b"")


def _garbage_pending(folder: Path) -> None:
    (folder / "pending").write_bytes(b"\x93")


@pytest.mark.parametrize(
    "damage",
    [
        _truncated_index,
        _no_index,
        _garbage_config,
        _no_shard,
        _no_vectors,
        _short_status,
        _garbage_pending,
    ],
)
def test_a_damaged_index_says_so_and_others_go_on(
    tmp_path: Path, damage: object
) -> None:
    async def run() -> None:
        async with node(tmp_path) as first:
            await first.write("/insert", {"id": "a", "values": [1, 2]})
            await first.write("/insert", {"id": "a", "values": [1, 2]}, index="good")
        assert callable(damage)
        damage(tmp_path / "state" / "vectorize" / "docs")
        async with node(tmp_path) as second:
            for method, path, body in [
                ("POST", "/query", {"vector": [1, 2]}),
                ("GET", "/info", None),
                ("POST", "/deleteByIds", {"ids": ["a"]}),
            ]:
                status, answer = await second.call(method, path, body)
                assert (status, answer["code"]) == (500, 50000)
                assert "index 'docs' is damaged: " in answer["error"]
                assert "from a backup, or delete the index" in answer["error"]
            assert second.notices == [answer["error"]]
            assert (await second.query([1, 2], index="good"))[0]["id"] == "a"

    asyncio.run(run())


def test_the_engine_is_loaded_at_the_first_use_of_an_index() -> None:
    code = (
        "import sys, selfedge.bindings.vectorize.server\n"
        "sys.exit('qdrant_edge' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_compiling_needs_no_server() -> None:
    code = (
        "import sys, selfedge.bindings.vectorize\n"
        "sys.exit(bool({'aiohttp', 'asyncio', 'qdrant_edge'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_failing_disk_acknowledges_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "vectorize"

    async def test(node: Node) -> None:
        folder.rmdir()
        status, answer = await node.write("/insert", {"id": "a", "values": [1, 2]})
        assert (status, answer["code"]) == (500, 50000)
        folder.write_bytes(b"a file where the folder should be")
        status, answer = await node.write("/insert", {"id": "a", "values": [1, 2]})
        assert (status, answer["code"]) == (500, 50000)
        assert "index 'docs' " in answer["error"]

    on_node(tmp_path, test, hosted=True)


def test_a_nearly_full_disk_is_not_written_and_serves_again_with_room(
    tmp_path: Path,
) -> None:
    free = 2**40
    vector = Vector("a", [1.0, 2.0])

    async def run() -> None:
        nonlocal free
        async with service(tmp_path, lambda: free) as first:
            await first.mutate("i", "insert", vectors=[vector])
            free = 2**20
            with pytest.raises(IndexFailed, match=r"128 MiB of free disk, and 1 MiB"):
                await first.mutate("i", "insert", vectors=[Vector("b", [1.0, 2.0])])
            assert (await first.describe("i")).vectors == 1
        async with service(tmp_path, lambda: free) as second:
            with pytest.raises(IndexFailed, match="MiB of free disk"):
                await second.describe("i")
            assert (await second.describe("absent")).vectors == 0
            free = 2**40
            assert (await second.describe("i")).vectors == 1

    asyncio.run(run())
