"""Which share of a Worker's invocations is kept: pure."""

from collections.abc import Mapping
from typing import Any


def kept_share(observability: Mapping[str, Any]) -> float:
    """Return 0 to 1, as `observability` of a wrangler file says it.

    `[observability]` or `[observability.logs]` enables it; the nearer
    `head_sampling_rate` counts, and 1 where none is written.
    """
    logs = observability.get("logs")
    logs = logs if isinstance(logs, Mapping) else {}
    enabled = logs.get("enabled", observability.get("enabled"))
    if enabled is not True:
        return 0.0
    for one in (logs, observability):
        rate = one.get("head_sampling_rate")
        if isinstance(rate, int | float):
            return min(1.0, max(0.0, float(rate)))
    return 1.0
