"""The engine in processes of its own: killed, rebuilt, quarantined, deleted."""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from vectorize_support import gaussian
from vectorize_writer import UNIVERSE, apply, made, mutation

from selfedge.bindings.vectorize.engine.contract import Metric, Vector
from selfedge.bindings.vectorize.engine.host.engine import HostedEngine, HostedShard
from selfedge.bindings.vectorize.errors import IndexFailed, UnknownIndex
from selfedge.bindings.vectorize.index import rebuild
from selfedge.bindings.vectorize.index.model import Config, Query
from selfedge.bindings.vectorize.service import VectorizeService

pytestmark = pytest.mark.slow
CONFIG = Config(dimensions=8, metric=Metric.EUCLIDEAN)


def hosted(home: Path, test: Callable[[VectorizeService], Awaitable[None]]) -> None:
    async def run() -> None:
        service = made(home, [f"m{n}" for n in range(1, 9999)], engine=HostedEngine())
        try:
            await test(service)
        finally:
            await service.close()

    asyncio.run(run())


def process(service: VectorizeService, name: str = "i") -> HostedShard:
    shard = service._slots[name].index.shard
    assert isinstance(shard, HostedShard)
    return shard


def check_kills(home: Path, rounds: int) -> None:
    """SIGKILL the index's process at random moments; each write is answered."""
    source = random.Random(rounds)  # noqa: S311 - no secret
    kept: dict[str, float] = {}

    async def test(service: VectorizeService) -> None:
        loop = asyncio.get_running_loop()
        for number in range(1, rounds + 1):
            todo = mutation(number)
            if number > 1:
                pid = process(service).pid
                delay = source.random() * 0.02
                loop.call_later(delay, kill, pid)
            await service.mutate(
                "i", todo.operation, vectors=todo.vectors, ids=todo.ids
            )
            apply(kept, todo)
            found = await service.get("i", UNIVERSE)
            assert {one.id: one.values[0] for one in found} == kept
            assert (await service.describe("i")).vectors == len(kept)

    hosted(home, test)


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def test_kills_of_an_index_process_lose_nothing_and_fail_nothing(
    tmp_path: Path,
) -> None:
    check_kills(tmp_path, 8)


@pytest.mark.faults
@pytest.mark.timeout(600)
def test_sixty_kills_of_an_index_process_lose_nothing(tmp_path: Path) -> None:
    check_kills(tmp_path, 60)


def test_an_index_is_rebuilt_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "FEW", 2)
    values = gaussian(1200, 8, 1)

    async def test(service: VectorizeService) -> None:
        await service.create("i", CONFIG)
        await service.add_metadata_index("i", "k", "number")
        vectors = [
            Vector(f"v{n}", one, None, b'{"k":%d}' % (n % 3))
            for n, one in enumerate(values[:1000])
        ]
        await service.mutate("i", "insert", vectors=vectors)
        before = process(service).pid
        compacting = asyncio.create_task(service.compact("i"))
        number = 1000
        while not compacting.done() and number < 1200:
            await service.mutate("i", "delete", ids=[f"v{number - 1000}"])
            one = Vector(f"v{number}", values[number], "n", b'{"k":7}')
            await service.mutate("i", "upsert", vectors=[one])
            assert (await service.describe("i")).vectors == 1000
            number += 1
        assert await compacting
        assert process(service).pid != before
        names = [f"v{n}" for n in range(1200)]
        found = {one.id: one for one in await service.get("i", names)}
        assert set(found) == {f"v{n}" for n in range(number - 1000, number)}
        assert (await service.describe("i")).vectors == 1000
        query = Query(values=values[999], top_k=1)
        assert (await service.query("i", query))[0].vector.id == "v999"
        assert [path.name for path in (tmp_path / "i").glob("shard*")] == ["shard-1"]

    hosted(tmp_path, test)


def test_deleting_frees_the_disk_also_while_it_is_compacted(tmp_path: Path) -> None:
    async def test(service: VectorizeService) -> None:
        await service.create("i", CONFIG)
        vectors = [Vector(f"v{n}", one) for n, one in enumerate(gaussian(500, 8, 2))]
        await service.mutate("i", "insert", vectors=vectors)
        compacting = asyncio.create_task(service.compact("i"))
        await asyncio.sleep(0)
        await service.delete("i")
        assert not await compacting
        assert os.listdir(tmp_path) == []  # noqa: PTH208 - it is a moment
        with pytest.raises(UnknownIndex):
            await service.index("i")
        await service.create("i", CONFIG)
        assert (await service.describe("i")).vectors == 0

    hosted(tmp_path, test)


def test_a_damaged_shard_is_moved_aside_and_stays_so(tmp_path: Path) -> None:
    async def fill(service: VectorizeService) -> None:
        for name in ("i", "good"):
            await service.create(name, CONFIG)
            await service.mutate(name, "insert", vectors=[Vector("a", [1.0] * 8)])

    async def refuse(service: VectorizeService) -> None:
        for _ in range(2):
            with pytest.raises(IndexFailed, match=r"is damaged.*vectorize delete i"):
                await service.describe("i")
        assert (await service.describe("good")).vectors == 1
        assert (tmp_path / "i" / "damaged" / "edge_config.json").read_bytes() == b"{"

    async def remove(service: VectorizeService) -> None:
        await refuse(service)
        await service.delete("i")
        await fill_again(service)

    async def fill_again(service: VectorizeService) -> None:
        await service.create("i", CONFIG)
        assert (await service.describe("i")).vectors == 0

    hosted(tmp_path, fill)
    (tmp_path / "i" / "shard" / "edge_config.json").write_bytes(b"{")
    hosted(tmp_path, refuse)
    hosted(tmp_path, remove)
