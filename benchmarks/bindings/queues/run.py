"""Queues under `wrangler dev` and `selfedge dev`, in turns.

    .venv/bin/python benchmarks/bindings/queues/run.py --rounds 3 --seconds 5

README.md in this folder says what is measured and how.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BENCHMARKS = HERE.parents[1]
sys.path[:0] = [str(BENCHMARKS), str(HERE.parent)]

from load import rate  # noqa: E402 - found through the line above, as are these
from machine import machine  # noqa: E402
from probe import Failed, ask  # noqa: E402
from systems import Selfedge, Server, System, Wrangler, copied, running  # noqa: E402

SCRATCH = BENCHMARKS / ".scratch"
ROWS = {"send": "/one", "sendBatch of 100": "/many"}
BAR = 2.0  # times `wrangler dev`
_WARM_UP_S = 1
_DRAIN_S = 120.0
_POLL_S = 0.02


def main(arguments: Sequence[str]) -> int:
    """Print a table, write it as JSON if asked for; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--output", type=Path)
    chosen = parser.parse_args(arguments)
    before = os.getloadavg()[0]
    rates = _rates(chosen.rounds, chosen.seconds)
    missed = 0
    for row, of in rates.items():
        median = {name: statistics.median(values) for name, values in of.items()}
        ratio = median["selfedge"] / median["wrangler"]
        missed += ratio < BAR
        mark = "" if ratio >= BAR else f"  below {BAR:g}"
        print(f"{row:18} wrangler {median['wrangler']:8.0f}", end="  ")
        print(f"selfedge {median['selfedge']:8.0f}  {ratio:.1f} times{mark}")
    print(f"load average {before:.1f} → {os.getloadavg()[0]:.1f}")
    if chosen.output:
        result: dict[str, Any] = {"machine": machine(), "messages/s": rates}
        result["load average before"] = round(before, 1)
        chosen.output.parent.mkdir(exist_ok=True)
        chosen.output.write_text(json.dumps(result, indent=2) + "\n")
    return 1 if missed else 0


def _rates(rounds: int, seconds: int) -> dict[str, dict[str, list[float]]]:
    systems: list[System] = [Wrangler.installed(SCRATCH), Selfedge()]
    found: dict[str, dict[str, list[float]]] = {row: {} for row in ROWS}
    for number in range(rounds):
        for system in systems if number % 2 == 0 else systems[::-1]:
            for row, path in ROWS.items():
                with (
                    copied(HERE / "worker", SCRATCH) as project,
                    running(system, project) as server,
                ):
                    server.answers()
                    rate(server.port, path, _WARM_UP_S)
                    _drained(server)
                    value = round(_delivered(server, path, seconds), 1)
                    found[row].setdefault(system.name, []).append(value)
    return found


def _delivered(server: Server, path: str, seconds: int) -> float:
    """Return messages a second, from the first send to the last delivery."""
    before = _drained(server)
    started = time.monotonic()
    rate(server.port, path, seconds)
    count = _drained(server) - before
    return count / (time.monotonic() - started)


def _drained(server: Server) -> int:
    """Return how many messages have come back, once all have.

    Raises:
        Failed: they do not, or one is not what was sent.
    """
    deadline = time.monotonic() + _DRAIN_S
    while True:
        counts = json.loads(ask(server.port, "/counts").body)
        if counts["wrong"]:
            raise Failed(f"{counts['wrong']} messages are not what was sent")
        if counts["seen"] >= counts["sent"]:
            return int(counts["seen"])
        if time.monotonic() > deadline:
            raise Failed(f"messages are missing: {counts}\n{server.log_tail()}")
        time.sleep(_POLL_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
