"""What is no damage: files that another still holds, a process that cannot start."""

import asyncio
import fcntl
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from vectorize_support import Node, node

from selfedge.bindings.vectorize.engine import qdrant
from selfedge.bindings.vectorize.engine.contract import EngineFailure, Metric
from selfedge.bindings.vectorize.engine.host.engine import HostedEngine

VECTOR = {"id": "a", "values": [1, 2]}
WRITER = Path(__file__).with_name("vectorize_writer.py")


@contextmanager
def locked(shard: Path) -> Iterator[None]:
    """Hold what the engine locks, as a dying process does."""
    held = os.open(shard / "wal", os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(held)


def children(pid: int) -> Sequence[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


async def check_serves_again(node: Node, shard: Path) -> None:
    """The refused index was not moved, reported or marked, and has all it had."""
    assert not shard.with_name("damaged").exists()
    assert node.notices == []
    assert (await node.call("POST", "/getByIds", {"ids": ["a"]}))[1] == [VECTOR]


def test_files_that_stay_locked_are_refused_and_never_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qdrant, "_LOCKED_S", 0.1)
    shard = tmp_path / "state" / "vectorize" / "docs" / "shard"

    async def run() -> None:
        async with node(tmp_path) as first:
            await first.write("/insert", VECTOR)
        async with node(tmp_path) as second:
            with locked(shard):
                for call in [
                    second.call("GET", "/info"),
                    second.write("/upsert", {"id": "b", "values": [1, 2]}),
                ]:
                    status, answer = await call
                    assert (status, answer["code"]) == (500, 50000)
                    assert "another process has its files open" in answer["error"]
            await check_serves_again(second, shard)

    asyncio.run(run())


def test_files_that_are_let_go_of_in_time_are_waited_for(tmp_path: Path) -> None:
    shard = tmp_path / "state" / "vectorize" / "docs" / "shard"

    async def run() -> None:
        async with node(tmp_path) as first:
            await first.write("/insert", VECTOR)
        async with node(tmp_path) as second:
            with locked(shard):
                reading = asyncio.create_task(second.call("GET", "/info"))
                done, _ = await asyncio.wait([reading], timeout=0.2)
                assert not done
            assert (await reading)[1]["vectorCount"] == 1
            await check_serves_again(second, shard)

    asyncio.run(run())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("python", "reason"),
    [("absent", "could not be started"), ("false", "ended with exit code 1")],
)
def test_a_process_that_cannot_start_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str, reason: str
) -> None:
    shard = tmp_path / "state" / "vectorize" / "docs" / "shard"

    async def run() -> None:
        async with node(tmp_path) as first:
            await first.write("/insert", VECTOR)
        async with node(tmp_path, hosted=True) as second:
            with monkeypatch.context() as patch:
                patch.setattr(sys, "executable", python)
                status, answer = await second.call("GET", "/info")
                assert (status, answer["code"]) == (500, 50000)
                assert f"its process {reason}" in answer["error"]
            await check_serves_again(second, shard)

    asyncio.run(run())


@pytest.mark.faults
def test_an_index_process_that_meets_a_lock_says_that_it_passes(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "shard"
    engine = HostedEngine()
    engine.create(folder, dimensions=2, metric=Metric.COSINE).close()
    with locked(folder), pytest.raises(EngineFailure) as caught:
        engine.load(folder, dimensions=2, metric=Metric.COSINE)
    assert caught.value.passing
    engine.load(folder, dimensions=2, metric=Metric.COSINE).close()
    engine.close()


@pytest.mark.slow
def test_an_index_process_dies_with_its_parent_and_lets_go_of_its_files(
    tmp_path: Path,
) -> None:
    command = [sys.executable, str(WRITER), str(tmp_path), "hosted"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"1\n"
        (child,) = children(owner.pid)
        watched = os.pidfd_open(child)
        owner.kill()
    ended, _, _ = select.select([watched], [], [], 10.0)
    os.close(watched)
    assert ended
    with locked(tmp_path / "i" / "shard"):
        pass
