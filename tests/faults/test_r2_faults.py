"""R2 keeps what it acknowledged: through SIGKILL at any moment, and on a full disk."""

import asyncio
import resource
from collections.abc import Callable
from pathlib import Path
from random import Random

import aiohttp
import pytest
from r2_client import WRITERS, Journal, check, get, put, session, write
from service_child import child

MIB = 1024 * 1024


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(4, marks=pytest.mark.slow),
        pytest.param(100, marks=[pytest.mark.faults, pytest.mark.timeout(900)]),
    ],
)
def test_every_acknowledged_put_survives_sigkill(tmp_path: Path, kills: int) -> None:
    """And none is half there; what a crash cut leaves no file behind."""
    journal = Journal()
    random = Random(kills)  # noqa: S311
    path = tmp_path / "r2.sock"
    for _ in range(kills):
        with child("r2", tmp_path / "state", path) as process:
            asyncio.run(_round(journal, random, path, process.kill))
    with child("r2", tmp_path / "state", path):
        asyncio.run(_verify(journal, path))
    assert journal.acknowledged > kills
    assert not list((tmp_path / "state" / "r2" / "blobs").glob("*.part"))


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
        await asyncio.sleep(random.uniform(0.02, 0.3))
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
    path = tmp_path / "r2.sock"
    journal = Journal()
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(5 * MIB))
    with child("r2", small_disk / "state", path):
        reason = asyncio.run(_fill(journal, path, size))
        assert f"The disk that holds {small_disk}/state/r2" in reason
        assert "is full" in reason
        ballast.unlink()
        asyncio.run(_goes_on(journal, path, size))
    with child("r2", small_disk / "state", path):
        asyncio.run(_verify(journal, path))


@pytest.mark.slow
def test_where_files_cannot_grow_a_put_is_an_error_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    path = tmp_path / "r2.sock"
    with child("r2", tmp_path / "state", path, file_max=MIB) as process:
        asyncio.run(_too_large(path))
        assert process.pid is not None
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, unlimited)
        asyncio.run(_goes_on(Journal(), path, 3 * MIB))
    assert len(list((tmp_path / "state" / "r2" / "blobs").iterdir())) == 2


async def _too_large(path: Path) -> None:
    async with session(path) as client:
        assert await put(client, "k", b"old" * 10_000) is None
        reason = await put(client, "k", bytes(3 * MIB))
        assert reason is not None
        assert "/state/r2/blobs/" in reason
        assert await get(client, "k") == b"old" * 10_000


async def _fill(journal: Journal, path: Path, size: int) -> str:
    """Put until it is refused; return why."""
    async with session(path) as client:
        for i in range(3000):
            key, value = f"k{i % 900}", b"%d" % i * (size // len(str(i)))
            journal.begin(key, value)
            reason = await put(client, key, value)
            if reason is not None:
                await check(client, journal)
                return reason
            journal.done(key, value)
    raise AssertionError("the disk was never full")


async def _goes_on(journal: Journal, path: Path, size: int) -> None:
    async with session(path) as client:
        assert await put(client, "after", b"x" * size) is None
        await check(client, journal)
