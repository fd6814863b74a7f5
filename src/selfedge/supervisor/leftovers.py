"""Processes that a node left behind when it was killed while they started."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

_SANDBOX = b"bwrap"


def end_leftovers(run_dir: Path) -> int:
    """End sandboxes that name `run_dir`; return how many there were.

    bubblewrap has a moment in which its inner process waits for the outer one and
    does not end with it. Who owns the data directory owns all that names its folder.
    """
    found = 0
    for pid in _sandboxes(os.fsencode(run_dir)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
            found += 1
    return found


def _sandboxes(folder: bytes) -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it is gone, or another user's
            continue
        sandboxed = arguments[0].rpartition(b"/")[2] == _SANDBOX
        if sandboxed and any(_is_inside(one, folder) for one in arguments):
            yield int(process.name)


def _is_inside(path: bytes, folder: bytes) -> bool:
    return path == folder or path.startswith(folder + b"/")
