"""Bounds of engine processes, and the sandbox that is or is not there."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from selfedge.errors import UsageError
from selfedge.supervisor.launch import Bounds
from selfedge.supervisor.limits import (
    Limits,
    data_bytes,
    heap_flags,
    limits_of,
    profile,
)
from selfedge.supervisor.sandbox import sandbox_for, view_of
from selfedge.supervisor.startup import ran_out_of_memory

MIB = 1024 * 1024


def test_the_kernels_bound_lies_far_above_the_limit_of_memory():
    """The engine maps about 575 MiB before anything runs."""
    limits = limits_of(profile("paid"), {}, isolates=1)
    assert limits.memory_bytes == 512 * MIB
    assert data_bytes(limits) == (640 + 768) * MIB
    assert heap_flags(limits) == [
        "--initial-old-space-size=4",
        "--max-heap-size=384",
        "--max-semi-space-size=16",
    ]


def test_what_has_no_limit_has_no_bound():
    limits = Limits(blocked_s=None, memory_bytes=None)
    assert data_bytes(limits) is None
    assert heap_flags(limits) == ["--initial-old-space-size=4"]


def shown(bounds: Bounds, *kinds: str) -> str:
    """Return the bounds of a process that was started within `bounds`."""
    code = f"import resource as r; print(*map(r.getrlimit, [{', '.join(kinds)}]))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        preexec_fn=bounds.set,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_bounds_hold_for_the_process_that_sets_them():
    bounds = Bounds(data_bytes=900 * MIB, files=100, core=False)
    found = shown(bounds, "r.RLIMIT_DATA", "r.RLIMIT_NOFILE", "r.RLIMIT_CORE")
    assert found == f"({900 * MIB}, {900 * MIB}) (100, 100) (0, 0)"


def test_more_files_than_the_machine_allows_are_as_many_as_it_allows():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = 10**6 if most == resource.RLIM_INFINITY else most + 1
    held = min(files, most) if most != resource.RLIM_INFINITY else files
    assert shown(Bounds(files=files), "r.RLIMIT_NOFILE") == f"({held}, {held})"


@pytest.fixture
def bare(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_without_bubblewrap_there_is_no_sandbox_and_the_reason_is_told(bare):
    sandbox, sentence = sandbox_for(Path("/bin/true"), "auto")
    assert sandbox is None
    assert sentence == ("Workers run without a sandbox: bubblewrap is not installed.")


def test_a_sandbox_that_is_required_and_cannot_be_is_an_error(bare):
    with pytest.raises(UsageError, match="--sandbox require: bubblewrap is not"):
        sandbox_for(Path("/bin/true"), "require")


def test_a_bubblewrap_that_fails_gives_its_words(bare):
    fake = bare / "bwrap"
    fake.write_text("#!/bin/sh\necho 'no namespaces here' >&2; exit 1\n")
    fake.chmod(0o755)
    sandbox, sentence = sandbox_for(Path("/bin/true"), "auto")
    assert sandbox is None
    assert "no namespaces here" in sentence


def test_a_sandbox_that_is_off_is_not_looked_for():
    assert sandbox_for(Path("/nowhere"), "off")[0] is None


def test_a_process_writes_to_the_folders_of_its_objects_only():
    config = {
        "services": [
            {"name": "a", "disk": {"path": "/data/objects/a", "writable": True}},
            {"name": "b", "assets": {"path": "/data/assets/b"}},
            {"name": "c", "worker": {}},
        ]
    }
    view = view_of(config, [Path("/data/run/g1")])
    assert view.writable == [Path("/data/objects/a")]
    assert view.readable[:2] == [Path("/data/run/g1"), Path("/data/assets/b")]


@pytest.mark.parametrize(
    ("words", "so"),
    [
        ("<--- Last few GCs --->", True),
        ("Fatal process out of memory: Zone", True),
        ("Uncaught Error: no", False),
    ],
)
def test_what_the_engine_says_when_it_runs_out_of_memory(words, so):
    assert ran_out_of_memory(words) is so
