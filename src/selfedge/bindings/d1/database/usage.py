"""What a database was asked, by the hour; since the node started."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from selfedge.bindings.d1.database.model import Result
from selfedge.types import Clock

HOURS_KEPT = 24 * 31
_HOUR_S = 3600
_FIELDS = ("readQueries", "writeQueries", "rowsRead", "rowsWritten")


class Usage:
    """Counts for one database; noted by its threads, one batch at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._hours: dict[int, list[int]] = {}

    def note(self, results: Sequence[Result]) -> None:
        """Count what a batch did."""
        hour = int(self._clock() // _HOUR_S)
        counts = self._hours.get(hour)
        if counts is None:
            counts = self._hours[hour] = [0, 0, 0, 0]
            for old in [one for one in self._hours if one <= hour - HOURS_KEPT]:
                self._hours.pop(old, None)
        for one in results:
            counts[1 if one.rows_written else 0] += 1
            counts[2] += one.rows_read
            counts[3] += one.rows_written

    def groups(self) -> Sequence[Mapping[str, object]]:
        """Return the sums of each hour, as Cloudflare's GraphQL shows them."""
        return [
            {
                "sum": dict(zip(_FIELDS, counts, strict=True)),
                "dimensions": {"datetimeHour": _shown(hour)},
            }
            for hour, counts in sorted(self._hours.items())
        ]


def _shown(hour: int) -> str:
    return datetime.fromtimestamp(hour * _HOUR_S, UTC).strftime("%Y-%m-%dT%H:00:00Z")
