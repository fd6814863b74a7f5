"""What a process of this machine uses, from /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_UTIME, _STIME, _RSS = 11, 12, 21  # fields of /proc/PID/stat after the name


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor time since its start, and memory that is in RAM now."""

    cpu_s: float
    resident_bytes: int


def usage(pid: int) -> Usage | None:
    """Return what `pid` uses; None when it is gone, or the machine has no /proc."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    ticks = int(fields[_UTIME]) + int(fields[_STIME])
    return Usage(
        cpu_s=ticks / _TICKS_PER_S, resident_bytes=int(fields[_RSS]) * _PAGE_BYTES
    )


def private_bytes(pid: int) -> int:
    """Return the memory that only `pid` has; 0 when it cannot be told."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    kib = [int(line.split()[1]) for line in lines if line.startswith("Private_")]
    return sum(kib) * 1024
