"""The command of a binding's benchmark: rows, systems side by side, bars."""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from machine import machine
from systems import System
from turns import in_turns

OURS, THEIRS = "selfedge", "wrangler"
SCRATCH = Path(__file__).parents[1] / ".scratch"


@dataclass(frozen=True, slots=True)
class Row:
    """What is asked for, and what must be reached."""

    path: str
    each: int = 1  # figures are requests times this
    times: float = 0  # at least so many times `wrangler dev`
    least: float = 0  # at least this figure


def compare(
    systems: Sequence[System],
    worker: Path,
    rows: Mapping[str, Row],
    arguments: Sequence[str],
) -> int:
    """Print a table, write it as JSON if asked for; return 1 if a bar is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--output", type=Path)
    chosen = parser.parse_args(arguments)
    before = os.getloadavg()[0]
    rates = in_turns(
        systems,
        worker,
        SCRATCH,
        {title: row.path for title, row in rows.items()},
        rounds=chosen.rounds,
        seconds=chosen.seconds,
    )
    missed = [title for title, row in rows.items() if _shown(title, row, rates[title])]
    print(f"load average {before:.1f} → {os.getloadavg()[0]:.1f}")
    if chosen.output:
        result: dict[str, Any] = {"machine": machine(), "req/s": rates}
        result["load average before"] = round(before, 1)
        chosen.output.parent.mkdir(exist_ok=True)
        chosen.output.write_text(json.dumps(result, indent=2) + "\n")
    return 1 if missed else 0


def _shown(title: str, row: Row, rates: Mapping[str, Sequence[float]]) -> bool:
    """Print a row; return whether it misses a bar."""
    figures = {name: median(values) * row.each for name, values in rates.items()}
    ratio = figures[OURS] / figures[THEIRS] if figures[THEIRS] else float("inf")
    low = ratio < row.times or figures[OURS] < row.least
    line = "  ".join(f"{name} {value:8.0f}" for name, value in figures.items())
    print(f"{title:22}{line}  {ratio:.1f} times{'  below its bar' * low}")
    return low
