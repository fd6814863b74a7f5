"""Rate limits of a Worker under `wrangler dev` and `selfedge dev`, in turns.

    .venv/bin/python benchmarks/bindings/ratelimit/run.py --rounds 3 --seconds 5

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
sys.path[:0] = [str(BENCHMARKS), str(HERE.parent)]

from machine import machine  # noqa: E402 - found through the line above, as are these
from systems import Selfedge, Wrangler  # noqa: E402
from turns import in_turns  # noqa: E402

SCRATCH = BENCHMARKS / ".scratch"
ROWS = {
    "no check": "/none",
    "one check": "/one",
    "a key at its limit": "/full",
    "20 checks at once": "/many",
}
CHECKS = {"20 checks at once": 20}  # in a request
BAR = 10_000  # checks in a second, where checks come at once


def main(arguments: Sequence[str]) -> int:
    """Print a table, write it as JSON if asked for; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--output", type=Path)
    chosen = parser.parse_args(arguments)
    before = os.getloadavg()[0]
    systems = [Wrangler.installed(SCRATCH), Selfedge()]
    rates = in_turns(
        systems,
        HERE / "worker",
        SCRATCH,
        ROWS,
        rounds=chosen.rounds,
        seconds=chosen.seconds,
    )
    missed = 0
    for row, of in rates.items():
        checks = CHECKS.get(row, 1)
        median = {name: statistics.median(all_) for name, all_ in of.items()}
        figures = "  ".join(
            f"{name} {value * checks:8.0f}" for name, value in median.items()
        )
        ratio = median["selfedge"] / median["wrangler"]
        low = checks > 1 and median["selfedge"] * checks < BAR
        missed += low
        print(f"{row:20}{figures}  {ratio:.1f} times{f'  below {BAR}' * low}")
    print(f"load average {before:.1f} → {os.getloadavg()[0]:.1f}")
    if chosen.output:
        result: dict[str, Any] = {"machine": machine(), "req/s": rates}
        result["load average before"] = round(before, 1)
        chosen.output.parent.mkdir(exist_ok=True)
        chosen.output.write_text(json.dumps(result, indent=2) + "\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
