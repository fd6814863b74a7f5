"""A node ends what its predecessor left behind, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from selfedge.supervisor.leftovers import end_leftovers


@pytest.fixture
def started():
    running = []

    def start(name: str, *arguments: str) -> subprocess.Popen[bytes]:
        code = 'import sys; print("ready", flush=True); sys.stdin.read()'
        process = subprocess.Popen(
            [name, "-c", code, *arguments],
            executable=sys.executable,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        running.append(process)
        assert process.stdout.readline() == b"ready\n"
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def test_only_sandboxes_of_the_folder_are_ended(started, tmp_path: Path):
    ours = started("bwrap", "--ro-bind", f"{tmp_path}/g1", f"{tmp_path}/g1")
    others = [
        started("bwrap", "--ro-bind", f"{tmp_path}-other/g1"),
        started("sleeper", str(tmp_path)),
    ]
    assert end_leftovers(tmp_path) == 1
    assert ours.wait(10) == -9
    assert [one.poll() for one in others] == [None, None]
    assert end_leftovers(tmp_path) == 0
