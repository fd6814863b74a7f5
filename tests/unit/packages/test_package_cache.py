"""A folder of the cache is filled once, whoever comes first, whatever happens."""

import multiprocessing
import os
import sys
from pathlib import Path

import pytest

from selfedge.errors import InstallError
from selfedge.packages import cache


def fill(folder: Path) -> None:
    (folder / "part").write_text("whole")
    with (folder.parent / "fills").open("a") as log:
        log.write("x")


def test_it_is_filled_once(tmp_path):
    target = tmp_path / "engine"
    assert cache.ensure(target, fill) == target
    assert cache.ensure(target, fill) == target
    assert (target / "part").read_text() == "whole"
    assert (tmp_path / "fills").read_text() == "x"


def test_processes_that_start_at_once_fill_it_once(tmp_path):
    target = tmp_path / "engine"
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=cache.ensure, args=(target, fill)) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert (tmp_path / "fills").read_text() == "x"


def die_half_way(folder: Path) -> None:
    (folder / "part").write_text("ha")
    sys.stdout.flush()
    os._exit(9)


def test_a_death_half_way_leaves_nothing_that_looks_complete(tmp_path):
    target = tmp_path / "engine"
    context = multiprocessing.get_context("spawn")
    worker = context.Process(target=cache.ensure, args=(target, die_half_way))
    worker.start()
    worker.join()
    assert worker.exitcode == 9
    assert not cache.is_complete(target)
    cache.ensure(target, fill)
    assert (target / "part").read_text() == "whole"
    assert not list(tmp_path.glob(".engine.partial-*"))


def test_a_failure_leaves_nothing_and_is_raised(tmp_path):
    def fail(folder: Path) -> None:
        raise InstallError("no network")

    with pytest.raises(InstallError, match="no network"):
        cache.ensure(tmp_path / "engine", fail)
    assert not (tmp_path / "engine").exists()


def test_a_cache_that_cannot_be_written_says_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InstallError, match="SELFEDGE_CACHE_DIR"):
        cache.ensure(tmp_path / "file" / "engine", fill)


def test_a_complete_folder_is_used_without_writing(tmp_path):
    target = cache.ensure(tmp_path / "engine", fill)
    before = sorted(path.name for path in tmp_path.iterdir())
    cache.ensure(target, die_half_way)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
