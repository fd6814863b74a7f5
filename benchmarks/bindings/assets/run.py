"""Static files under `wrangler dev`, the bare engine and `selfedge dev`, in turns.

    .venv/bin/python benchmarks/bindings/assets/run.py --rounds 3 --seconds 5

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
from systems import Selfedge, Workerd, Wrangler  # noqa: E402
from turns import in_turns  # noqa: E402

from selfedge.settings import cache_dir  # noqa: E402
from selfedge.workerd.install import engine  # noqa: E402

SCRATCH = BENCHMARKS / ".scratch"
ROWS = {
    "a file": "/file.txt",
    "a page": "/page",
    "a file by env.ASSETS": "/bound",
    "the Worker": "/code",
}
BARS = {"a file": 4.0, "a page": 4.0}  # times `wrangler dev`


def main(arguments: Sequence[str]) -> int:
    """Print a table, write it as JSON if asked for; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--output", type=Path)
    chosen = parser.parse_args(arguments)
    before = os.getloadavg()[0]
    bare = Workerd(engine(cache_dir(), os.environ))
    rates = in_turns(
        [Wrangler.installed(SCRATCH), bare, Selfedge()],
        HERE / "worker",
        SCRATCH,
        ROWS,
        rounds=chosen.rounds,
        seconds=chosen.seconds,
    )
    missed = 0
    for row, of in rates.items():
        median = {name: statistics.median(values) for name, values in of.items()}
        ratio = median["selfedge"] / median["wrangler"]
        bar = BARS.get(row, 0)
        missed += ratio < bar
        figures = "  ".join(f"{name} {value:8.0f}" for name, value in median.items())
        mark = "" if ratio >= bar else f"  below {bar:g}"
        limit = median["selfedge"] / median["workerd"]
        print(f"{row:22}{figures}  {ratio:.1f} times, {limit:.2f} of bare{mark}")
    print(f"load average {before:.1f} → {os.getloadavg()[0]:.1f}")
    if chosen.output:
        result: dict[str, Any] = {"machine": machine(), "req/s": rates}
        result["load average before"] = round(before, 1)
        chosen.output.parent.mkdir(exist_ok=True)
        chosen.output.write_text(json.dumps(result, indent=2) + "\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
