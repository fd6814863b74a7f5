"""Rate limits of an account: the same for all its Workers."""

from collections.abc import Sequence

from selfedge.bindings.ratelimit.limits import KEYS_MAX
from selfedge.bindings.ratelimit.windows import Windows
from selfedge.bindings.ratelimit.wire import Check
from selfedge.types import Clock


class RateLimits:
    """Counts in memory: a new start begins at nothing."""

    def __init__(self, clock: Clock, keys_max: int = KEYS_MAX) -> None:
        self._clock = clock
        self._windows = Windows(keys_max)

    def allowed(self, namespace: str, checks: Sequence[Check]) -> Sequence[bool]:
        """Count each check that is within its limit; return which were."""
        now = self._clock()
        allow = self._windows.allow
        return [
            allow(namespace, key, limit, period, delta, now)
            for key, limit, period, delta in checks
        ]
