"""A process and those that it started, as Linux's /proc shows them."""

import os
import select
import signal
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_PROC = Path("/proc")
_PRIVATE = ("Private_Clean:", "Private_Dirty:")
_KILLED_WITHIN_S = 5.0


def tree(root: int) -> list[int]:
    """Return the pids of `root` and all its descendants."""
    children = defaultdict(list)
    for pid, parent in _parents():
        children[parent].append(pid)
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children[pid]
    return found


def private_bytes(pid: int) -> int:
    """Return the memory that only `pid` uses; 0 when it has gone."""
    try:
        text = (_PROC / str(pid) / "smaps_rollup").read_text()
    except OSError:
        return 0
    return parse_private(text)


def parse_private(rollup: str) -> int:
    """Return the bytes of private memory in the text of a smaps_rollup file."""
    return sum(
        int(line.split()[1]) * 1024
        for line in rollup.splitlines()
        if line.startswith(_PRIVATE)
    )


def name(pid: int) -> str:
    """Return the command name of `pid`."""
    try:
        return (_PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return "gone"


@contextmanager
def swept(root: int) -> Iterator[None]:
    """Kill, afterwards, what descended from `root` before and is still there."""
    handles = [handle for pid in tree(root) if (handle := _open(pid)) is not None]
    try:
        yield
    finally:
        for handle in handles:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        _wait(handles)
        for handle in handles:
            os.close(handle)


def _wait(handles: Sequence[int]) -> None:
    ends = time.monotonic() + _KILLED_WITHIN_S
    waiting = list(handles)
    while waiting and (left := ends - time.monotonic()) > 0:
        ready, _, _ = select.select(waiting, [], [], left)
        waiting = [handle for handle in waiting if handle not in ready]


def _open(pid: int) -> int | None:
    """Return a handle of the process: a pid may come to mean another one."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def _parents() -> Iterator[tuple[int, int]]:
    for folder in _PROC.glob("[0-9]*"):
        with suppress(OSError):
            stat = (folder / "stat").read_text()
            yield int(folder.name), int(stat.rpartition(")")[2].split()[1])
