"""Interleaved rounds: each measures every row under every system, one at a time."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from measures import Plan
from probe import Failed
from rows import TITLES, Row
from systems import System

DISAGREE = 1 / 3


@dataclass(slots=True)
class Series:
    """What was measured of one row under one system."""

    rounds: list[list[float]] = field(default_factory=list)
    discarded: list[list[float]] = field(default_factory=list)
    failure: str | None = None

    @property
    def values(self) -> list[float]:
        """The median of each round."""
        return [median(samples) for samples in self.rounds]

    @property
    def value(self) -> float | None:
        """The median of the rounds, None when it failed."""
        return median(self.values) if self.rounds and not self.failure else None

    @property
    def disagrees(self) -> bool:
        """Whether rounds differ by more than a third of the lowest."""
        values = self.values
        return bool(values) and max(values) - min(values) > DISAGREE * min(values)


Results = dict[str, dict[str, Series]]
"""By key of the row, then by name of the system."""


def measured(
    rows: Sequence[Row], systems: Mapping[str, System], plan: Plan, rounds: int
) -> Results:
    """Return all series; rows whose rounds disagree are run again once."""
    results = _series(rows, systems, plan, rounds)
    noisy = [row for row in rows if _noisy(results[row.key])]
    if noisy:
        _say(f"rounds disagree, again: {', '.join(row.key for row in noisy)}")
        again = _series(noisy, systems, plan, rounds)
        for key, series in again.items():
            for name, one in series.items():
                one.discarded = results[key][name].rounds
            results[key] = series
    return results


def _series(
    rows: Sequence[Row], systems: Mapping[str, System], plan: Plan, rounds: int
) -> Results:
    results: Results = {
        row.key: {name: Series() for name in row.systems} for row in rows
    }
    for number in range(rounds):
        for row in rows:
            for name in _rotated(row.systems, number):
                series = results[row.key][name]
                if series.failure is None:
                    _measure(row, systems[name], plan, series)
                    _say(f"round {number + 1}  {_shown(row, name, series)}")
    return results


def _measure(row: Row, system: System, plan: Plan, series: Series) -> None:
    try:
        series.rounds.append(row.measure(system, plan))
    except Failed as error:
        series.failure = str(error)


def _rotated(names: Sequence[str], number: int) -> Iterator[str]:
    """Yield all names, each time another one first: a drift hits all alike."""
    for index in range(len(names)):
        yield names[(index + number) % len(names)]


def _noisy(series: Mapping[str, Series]) -> bool:
    return any(one.disagrees and one.failure is None for one in series.values())


def _shown(row: Row, name: str, series: Series) -> str:
    if series.failure is not None:
        return f"{row.key:<9} {TITLES[name]:<13} failed: {series.failure}"
    value = series.values[-1]
    figure = f"{value:,.0f}" if value >= 100 else f"{value:.3f}"
    return f"{row.key:<9} {TITLES[name]:<13} {figure} {row.unit}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
