"""Many requests at once, by `wrk`."""

import re
import shutil
import subprocess

from probe import HOST, Failed

THREADS = 1
CONNECTIONS = 32
MISSING = "wrk is not installed: `apt-get install wrk` (or your system's way) brings it"
_MARGIN_S = 20.0
_RATE = re.compile(r"^Requests/sec:\s+([\d.]+)$", re.MULTILINE)
_FAULT = re.compile(
    r"^\s*(Non-2xx or 3xx responses: \d+|Socket errors: .*)$", re.MULTILINE
)


def version() -> str:
    """Return the version of wrk.

    Raises:
        Failed: it is not installed; says how to get it.
    """
    if shutil.which("wrk") is None:
        raise Failed(MISSING)
    done = subprocess.run(
        ["wrk", "-v"], capture_output=True, text=True, timeout=_MARGIN_S, check=False
    )
    first = (done.stdout or done.stderr).partition("\n")[0]
    return first.partition("[")[0].removeprefix("wrk").strip()


def rate(port: int, path: str, seconds: int) -> float:
    """Return the requests per second that the server at `port` answers.

    Raises:
        Failed: wrk failed, or an answer was an error.
    """
    command = ["wrk", f"-t{THREADS}", f"-c{CONNECTIONS}", f"-d{seconds}s"]
    command += ["--timeout", "10s", f"http://{HOST}:{port}{path}"]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=seconds + _MARGIN_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Failed(f"wrk failed: {error}") from error
    return parse_rate(done.stdout)


def parse_rate(output: str) -> float:
    """Return the rate in what wrk printed.

    Raises:
        Failed: there is none, or some requests failed.
    """
    if fault := _FAULT.search(output):
        raise Failed(fault[1])
    if not (match := _RATE.search(output)):
        raise Failed(f"wrk printed no rate: {output[-200:]!r}")
    return float(match[1])
