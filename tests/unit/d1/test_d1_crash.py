"""D1 keeps what it acknowledged: through SIGKILL at any moment, and on a full disk."""

import asyncio
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from d1_support import ID, results, rows, run
from d1_writer import BATCH

from selfedge.bindings.d1.errors import D1Error

WRITER = Path(__file__).with_name("d1_writer.py")
MIB = 1024 * 1024


def killed_writer(home: Path, start: int, acknowledgements: int) -> set[int]:
    """Let a writer work, SIGKILL it, and return all numbers that it acknowledged."""
    child = subprocess.Popen(
        [sys.executable, str(WRITER), str(home), str(start)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    done = set()
    for line in child.stdout:
        done.add(int(line))
        if len(done) == acknowledgements:
            break
    child.kill()
    done.update(int(line) for line in child.stdout if line.endswith("\n"))
    child.stdout.close()
    child.wait()
    assert len(done) >= acknowledgements, "the writer failed"
    return done


def written(home: Path) -> dict[int, int]:
    """Return number → how many of its rows are there."""

    async def body(d1):
        return await rows(d1, "SELECT number, count(*) FROM t GROUP BY number")

    return dict(run(body, home))


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(4, marks=pytest.mark.slow),
        pytest.param(60, marks=[pytest.mark.faults, pytest.mark.timeout(600)]),
    ],
)
def test_no_acknowledged_write_is_lost_and_no_batch_is_half_there(tmp_path, kills):
    source = random.Random(kills)  # noqa: S311 - no secret
    acknowledged: set[int] = set()
    for _ in range(kills):
        start = max(written(tmp_path), default=0) + 1 if acknowledged else 0
        acknowledged |= killed_writer(tmp_path, start, source.randint(50, 600))
    there = written(tmp_path)
    assert acknowledged <= set(there)
    assert set(there.values()) == {BATCH}

    async def whole(d1):
        return await rows(d1, "PRAGMA quick_check")

    assert run(whole, tmp_path) == [("ok",)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB; only root can have one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a small file system needs the right to mount one")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_told_and_changes_nothing_and_ends_with_its_cause(small_disk):
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(4 * MIB))
    put = "INSERT INTO t VALUES (zeroblob(900000))"

    async def body(d1):
        await results(d1, "CREATE TABLE t (b)", "INSERT INTO t VALUES ('first')")
        with pytest.raises(D1Error, match=r"The disk that holds .* is full or failing"):
            await results(d1, *[put] * 9)
        found = await rows(d1, "SELECT b FROM t")
        await asyncio.to_thread(ballast.unlink)
        await results(d1, put, "INSERT INTO t VALUES ('again')")
        return found, await rows(d1, "SELECT count(*) FROM t")

    assert run(body, small_disk / "d1") == ([("first",)], [(3,)])


def test_a_snapshot_that_the_disk_has_no_room_for_leaves_nothing(small_disk):
    async def body(d1):
        await results(d1, "CREATE TABLE t (b)")
        for _ in range(3):
            await results(d1, "INSERT INTO t VALUES (zeroblob(1500000))")
        with pytest.raises(D1Error, match="full"):
            await d1.bookmark(ID)
        folder = d1.registry.folder(ID) / "snapshots"
        left = await asyncio.to_thread(lambda: list(folder.iterdir()))
        return left, await rows(d1, "SELECT count(*) FROM t")

    assert run(body, small_disk) == ([], [(3,)])
