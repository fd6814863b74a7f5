"""How long things took, as counts between fixed bounds: pure."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

import msgspec

WALL_BOUNDS_MS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)
"""Of requests, as edge.js counts them."""

CALL_BOUNDS_MS = (0.1, 0.25, 0.5, *WALL_BOUNDS_MS)
"""Of calls to the services of bindings."""

MODEL_BOUNDS_MS = (*WALL_BOUNDS_MS, 30000, 60000)
"""Of what models take."""


class Histogram(msgspec.Struct, frozen=True):
    """Counts of what took up to each bound, and of all that took longer."""

    bounds_ms: Sequence[float]
    counts: Sequence[int]  # one more than there are bounds
    sum_ms: float = 0

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self.counts)

    def cumulative(self) -> Sequence[int]:
        """Return for each bound how many took no longer; then how many there were."""
        return list(accumulate(self.counts))

    def quantile(self, share: float) -> float | None:
        """Return the milliseconds that `share` of them took at most, interpolated.

        None without any; what is over the last bound is told as that bound.
        """
        wanted, before = share * self.count, 0
        if not self.count:
            return None
        for index, bound in enumerate(self.bounds_ms):
            here = self.counts[index]
            if here and before + here >= wanted:
                low = self.bounds_ms[index - 1] if index else 0.0
                return low + (bound - low) * (wanted - before) / here
            before += here
        return self.bounds_ms[-1]


class Recorder:
    """Counts, while it goes on."""

    def __init__(self, bounds_ms: Sequence[float]) -> None:
        self._bounds_ms = bounds_ms
        self._counts = [0] * (len(bounds_ms) + 1)
        self._sum_ms = 0.0

    def add(self, took_ms: float) -> None:
        """Count one."""
        self._counts[bisect_left(self._bounds_ms, took_ms)] += 1
        self._sum_ms += took_ms

    def histogram(self) -> Histogram:
        """Return the counts as they are now."""
        return Histogram(self._bounds_ms, tuple(self._counts), self._sum_ms)
