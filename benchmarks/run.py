"""`make bench`: the same Workers under three systems, side by side.

Run it on a quiet machine; README.md in this folder says what is measured and how.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import load
import machine
from measures import Plan
from probe import Failed
from report import page, write
from rounds import measured
from rows import ROWS, Row
from systems import Selfedge, Workerd, Wrangler

from selfedge.cli.progress import progress
from selfedge.errors import SelfedgeError
from selfedge.settings import cache_dir
from selfedge.workerd.install import engine

HERE = Path(__file__).resolve().parent
SCRATCH = HERE / ".scratch"
RESULTS = HERE / "results"


def main(arguments: Sequence[str]) -> int:
    """Measure, print the table, write the result file; 1 when something failed."""
    chosen = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    rows = chosen.rows
    used = load.version()
    parts = engine(cache_dir(), os.environ, progress)
    with progress("Looking for wrangler"):
        wrangler = Wrangler.installed(SCRATCH)
    systems = (wrangler, Workerd(parts), Selfedge())
    facts = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": machine.commit(HERE.parent),
        "machine": machine.machine(),
        "versions": {**machine.versions(parts, wrangler), "wrk": used},
        "settings": {"rounds": chosen.rounds, "seconds": chosen.seconds},
        "load_average_before": os.getloadavg(),
    }
    plan = Plan(HERE / "workers", SCRATCH / "runs", chosen.seconds)
    by_name = {system.name: system for system in systems}
    results = measured(rows, by_name, plan, chosen.rounds)
    facts["load_average_after"] = os.getloadavg()
    print(page(rows, results, facts))
    path = write(_output(chosen.output, rows), rows, results, facts)
    print(f"Written: {path}", file=sys.stderr)
    failed = any(one.failure for row in results.values() for one in row.values())
    return 1 if failed else 0


def _output(chosen: Path | None, rows: Sequence[Row]) -> Path:
    """Part of the table never takes the place of the whole one by itself."""
    if chosen is not None:
        return chosen
    return RESULTS if len(rows) == len(ROWS) else SCRATCH / "results"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    known = ",".join(row.key for row in ROWS)
    parser.add_argument(
        "--rows", type=_rows, default=ROWS, metavar="KEY,…", help=f"of {known}"
    )
    parser.add_argument("--rounds", type=_count(1, 20), default=3)
    parser.add_argument(
        "--seconds", type=_count(1, 60), default=5, help="of load in each measurement"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="for the result files [results/; with --rows a scratch folder]",
    )
    return parser


def _rows(text: str) -> Sequence[Row]:
    known = {row.key: row for row in ROWS}
    wanted = text.split(",")
    if unknown := [key for key in wanted if key not in known]:
        raise argparse.ArgumentTypeError(
            f"no row {', '.join(unknown)}; there are {', '.join(known)}"
        )
    return [row for row in ROWS if row.key in wanted]


def _count(least: int, most: int) -> Callable[[str], int]:
    def count(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not {least} to {most}")
        return int(text)

    return count


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (SelfedgeError, Failed) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
