"""R2 from a Worker under `wrangler dev` and `selfedge dev`, and beside the bare disk.

    .venv/bin/python benchmarks/bindings/r2/run.py --rounds 3 --seconds 5

README.md in this folder says what is measured and how.
"""

import argparse
import json
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BENCHMARKS = HERE.parents[1]
sys.path.insert(0, str(BENCHMARKS))

from load import rate  # noqa: E402 - it is found through the line above
from machine import machine  # noqa: E402
from streams import streamed  # noqa: E402
from systems import Selfedge, System, Wrangler, copied, running  # noqa: E402

SCRATCH = BENCHMARKS / ".scratch"
ROWS = {"get of 1 KiB": "/get", "put of 1 KiB": "/put"}
BAR = 3.0  # times `wrangler dev`, for gets
STREAM_BAR = 0.8  # of the disk's speed
GROWTH_MAX_MB = 32


def measured(system: System, seconds: int) -> dict[str, float]:
    """Return the requests per second of each row, on a fresh copy of the Worker."""
    with (
        copied(HERE / "worker", SCRATCH) as project,
        running(system, project) as server,
    ):
        server.answers("/seed")
        found = {}
        for row, path in ROWS.items():
            rate(server.port, path, 1)
            found[row] = rate(server.port, path, seconds)
        return found


def in_turns(
    systems: Sequence[System], rounds: int, seconds: int
) -> dict[str, dict[str, list[float]]]:
    """Return all rates: row → system → one for each round."""
    found: dict[str, dict[str, list[float]]] = {row: {} for row in ROWS}
    for number in range(rounds):
        order = systems if number % 2 == 0 else systems[::-1]
        for system in order:
            for row, value in measured(system, seconds).items():
                found[row].setdefault(system.name, []).append(round(value, 1))
    return found


def rated(rates: dict[str, dict[str, list[float]]]) -> bool:
    """Print the rates; return whether gets reach their bar."""
    good = True
    for row, of in rates.items():
        median = {name: statistics.median(values) for name, values in of.items()}
        ratio = median["selfedge"] / median["wrangler"]
        reached = ratio >= BAR or not row.startswith("get")
        good = good and reached
        mark = "" if reached else f"  below {BAR:g}"
        print(f"{row:14} wrangler {median['wrangler']:8.0f}", end="  ")
        print(f"selfedge {median['selfedge']:8.0f}  {ratio:.1f} times{mark}")
    return good


def shown(streams: dict[str, Any]) -> bool:
    """Print the speeds of streams; return whether they reach their bars."""
    good = True
    for way in ("write", "read"):
        disk = statistics.median(streams[f"disk {way} MB/s"])
        served = statistics.median(streams[f"served {way} MB/s"])
        reached = served >= STREAM_BAR * disk
        good = good and reached
        mark = "" if reached else f"  below {STREAM_BAR:g}"
        print(f"{streams['MB']} MB {way:6} disk {disk:6.0f} MB/s", end="  ")
        print(f"selfedge {served:6.0f} MB/s  {served / disk:.2f} times{mark}")
    growth = max(streams["growth MB"])
    print(f"memory grows by at most {growth:.1f} MB")
    return good and growth <= GROWTH_MAX_MB


def main(arguments: Sequence[str]) -> int:
    """Print a table, write it as JSON if asked for; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--output", type=Path)
    chosen = parser.parse_args(arguments)
    before = os.getloadavg()[0]
    wrangler = Wrangler.installed(SCRATCH)
    rates = in_turns([wrangler, Selfedge()], chosen.rounds, chosen.seconds)
    with (
        copied(HERE / "worker", SCRATCH) as project,
        running(Selfedge(), project) as server,
    ):
        streams = streamed(server, chosen.megabytes, chosen.rounds)
    good = [rated(rates), shown(streams)]
    print(f"load average {before:.1f} → {os.getloadavg()[0]:.1f}")
    if chosen.output:
        result: dict[str, Any] = {"machine": machine(), "req/s": rates}
        result |= {"streams": streams, "load average before": before}
        chosen.output.write_text(json.dumps(result, indent=2) + "\n")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
