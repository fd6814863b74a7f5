"""What the edge counts in the isolate of a Worker: pure."""

from collections.abc import Sequence

import msgspec

from selfedge.telemetry.histogram import WALL_BOUNDS_MS, Histogram

STATUS_CLASSES = 6  # by the first digit of a status; 0 is none
_NO_STATUS = (0,) * STATUS_CLASSES
_NO_WALL = (0,) * (len(WALL_BOUNDS_MS) + 1)


class Counts(msgspec.Struct, frozen=True, rename="camel"):
    """What happened since a process started, or between two moments."""

    statuses: tuple[int, ...] = _NO_STATUS  # requests by the first digit
    exceptions: int = 0  # that no handler caught
    events: int = 0  # of queues and schedules
    event_failures: int = 0
    walls: tuple[int, ...] = _NO_WALL  # requests by how long they took
    wall_ms: float = 0

    @property
    def requests(self) -> int:
        """How many were answered."""
        return sum(self.statuses)

    @property
    def wall(self) -> Histogram:
        """How long they took until their answer began."""
        return Histogram(WALL_BOUNDS_MS, self.walls, self.wall_ms)

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            statuses=_added(self.statuses, other.statuses),
            exceptions=self.exceptions + other.exceptions,
            events=self.events + other.events,
            event_failures=self.event_failures + other.event_failures,
            walls=_added(self.walls, other.walls),
            wall_ms=self.wall_ms + other.wall_ms,
        )

    def __neg__(self) -> "Counts":
        return Counts(
            statuses=tuple(-one for one in self.statuses),
            exceptions=-self.exceptions,
            events=-self.events,
            event_failures=-self.event_failures,
            walls=tuple(-one for one in self.walls),
            wall_ms=-self.wall_ms,
        )

    def __sub__(self, other: "Counts") -> "Counts":
        return self + -other


def _added(some: Sequence[int], more: Sequence[int]) -> tuple[int, ...]:
    return tuple(one + other for one, other in zip(some, more, strict=True))
