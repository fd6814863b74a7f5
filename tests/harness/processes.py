"""What /proc tells of the processes that a test has started."""

import os
import time
from pathlib import Path

MARK = "SELFEDGE_TEST_RUN"
_POLL_S = 0.02


def marked(mark: str) -> dict[int, str]:
    """Return pid → command line of all living processes that inherited `mark`."""
    wanted = f"{MARK}={mark}".encode()
    return {
        int(process.name): _command(process)
        for process in Path("/proc").glob("[0-9]*")
        if wanted in _read(process / "environ").split(b"\0") and not _is_zombie(process)
    }


def gone(mark: str, *, within_s: float) -> dict[int, str]:
    """Wait until no such process is left; return those that stay."""
    deadline = time.monotonic() + within_s
    while (left := marked(mark)) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return left


def engines(mark: str) -> list[int]:
    """Return the pids of the engine's processes."""
    return [pid for pid, command in marked(mark).items() if "workerd" in command]


def age_s(pid: int) -> float:
    """Return how long a process has lived; 0 when it is gone."""
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(b")")[2].split()
    if not fields:
        return 0.0
    started_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started_s


def _command(process: Path) -> str:
    return _read(process / "cmdline").replace(b"\0", b" ").decode(errors="replace")


def _is_zombie(process: Path) -> bool:
    return b") Z " in _read(process / "stat")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # gone, or another user's
        return b""


def clean_environment(mark: str, folder: Path) -> dict[str, str]:
    """Return our environment for a node in `folder`, without what would change it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CLOUDFLARE_", "WRANGLER_"))
    }
    return {**kept, MARK: mark, "PWD": str(folder), "PYTHONUNBUFFERED": "1"}
