"""Rates of one Worker under several systems, one at a time and in turns."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from load import rate
from systems import System, copied, running

Rates = dict[str, dict[str, list[float]]]
"""Row → system → requests per second, one for each round."""
_WARM_UP_S = 1


def in_turns(
    systems: Sequence[System],
    worker: Path,
    scratch: Path,
    rows: Mapping[str, str],
    *,
    rounds: int,
    seconds: int,
) -> Rates:
    """Measure all `rows`, title → path, of the folder `worker`; `/seed` is first."""
    found: Rates = {row: {} for row in rows}
    for number in range(rounds):
        order = systems if number % 2 == 0 else systems[::-1]
        for system in order:
            with copied(worker, scratch) as project, running(system, project) as server:
                server.answers("/seed")
                for row, path in rows.items():
                    rate(server.port, path, _WARM_UP_S)
                    value = round(rate(server.port, path, seconds), 1)
                    found[row].setdefault(system.name, []).append(value)
    return found
