"""KV keeps what it acknowledged: through SIGKILL at any moment, and on a full disk."""

import asyncio
import resource
from collections.abc import Callable
from pathlib import Path
from random import Random

import aiohttp
import pytest
from kv_client import WRITERS, Journal, Put, check, put, session, write
from service_child import child

LARGE = 16 * 1024
MIB = 1024 * 1024


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(10, marks=pytest.mark.slow),
        pytest.param(200, marks=[pytest.mark.faults, pytest.mark.timeout(900)]),
    ],
)
def test_every_acknowledged_write_survives_sigkill(tmp_path: Path, kills: int) -> None:
    journal = Journal()
    random = Random(kills)  # noqa: S311
    path = tmp_path / "kv.sock"
    for _ in range(kills):
        with child("kv", tmp_path / "state", path) as process:
            asyncio.run(_round(journal, random, path, process.kill))
    with child("kv", tmp_path / "state", path):
        asyncio.run(_verify(journal, path))
    assert journal.acknowledged > kills
    blobs = list((tmp_path / "state" / "kv" / "blobs").iterdir())
    large = [kept for (kept,) in journal.possible.values() if _is_large(kept)]
    assert len(blobs) == len(large), "a crash left files that nothing names"


def _is_large(kept: Put | None) -> bool:
    return kept is not None and len(kept.value) > LARGE


async def _round(
    journal: Journal, random: Random, path: Path, kill: Callable[[], None]
) -> None:
    async with session(path) as client:
        await check(client, journal)
        seeds = [Random(random.random()) for _ in range(WRITERS)]  # noqa: S311
        writers = [
            asyncio.create_task(write(client, journal, seed, number))
            for number, seed in enumerate(seeds)
        ]
        await asyncio.sleep(random.uniform(0.005, 0.15))
        kill()
        for outcome in await asyncio.gather(*writers, return_exceptions=True):
            if not isinstance(outcome, aiohttp.ClientError | OSError):
                raise outcome


async def _verify(journal: Journal, path: Path) -> None:
    async with session(path) as client:
        await check(client, journal)


@pytest.mark.slow
@pytest.mark.parametrize("size", [4000, 100_000], ids=["small", "large"])
def test_on_a_full_disk_a_put_is_an_error_and_nothing_is_lost(
    tmp_path: Path, small_disk: Path, size: int
) -> None:
    path = tmp_path / "kv.sock"
    journal = Journal()
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(5 * MIB))
    with child("kv", small_disk / "state", path):
        reason = asyncio.run(_fill(journal, path, size))
        assert f"The disk that holds {small_disk}/state/kv" in reason
        assert "is full" in reason
        ballast.unlink()
        asyncio.run(_goes_on(journal, path, size))
    with child("kv", small_disk / "state", path):
        asyncio.run(_verify(journal, path))


@pytest.mark.slow
@pytest.mark.parametrize("size", [4000, 900_000], ids=["small", "large"])
def test_where_files_cannot_grow_a_put_is_an_error_and_nothing_is_lost(
    tmp_path: Path, size: int
) -> None:
    path = tmp_path / "kv.sock"
    journal = Journal()
    with child("kv", tmp_path / "state", path, file_max=MIB // 2) as process:
        reason = asyncio.run(_fill(journal, path, size))
        assert f"{tmp_path}/state/kv" in reason
        assert process.pid is not None
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, unlimited)
        asyncio.run(_goes_on(journal, path, size))
    with child("kv", tmp_path / "state", path):
        asyncio.run(_verify(journal, path))


async def _fill(journal: Journal, path: Path, size: int) -> str:
    """Put until it is refused; return why."""
    async with session(path) as client:
        for i in range(3000):
            value = b"%d" % i * (size // len(str(i)))
            reason = await put(client, journal, f"k{i % 900}", value, ttl=bool(i % 2))
            if reason is not None:
                await check(client, journal)
                return reason
    raise AssertionError("the disk was never full")


async def _goes_on(journal: Journal, path: Path, size: int) -> None:
    async with session(path) as client:
        assert await put(client, journal, "after", b"x" * size) is None
        await check(client, journal)
