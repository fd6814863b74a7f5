"""How often a token may call, and a peer may fail to show one."""

import math
from dataclasses import dataclass

from selfedge.errors import ApiError
from selfedge.types import Clock

TOO_MANY = 971  # "Please wait and consider throttling your request speed"
_REMEMBERED = 10_000  # peers; the oldest is forgotten first


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most `most` in `seconds`."""

    most: int
    seconds: float


CALLS = Rate(most=1200, seconds=300.0)
"""Cloudflare's, for a token."""

FAILURES = Rate(most=30, seconds=60.0)
"""Wrong tokens of one peer."""


def calls_at(most: int) -> Rate | None:
    """Return how often a token may call, in Cloudflare's time; 0: any number."""
    return Rate(most=most, seconds=CALLS.seconds) if most else None


class TooManyRequests(ApiError):
    """Over a rate (429); `retry_after_s` is when it is worth another try."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message, status=429, number=TOO_MANY)
        self.retry_after_s = retry_after_s


class Windows:
    """Counts by name, each in a window of time that begins with its first."""

    def __init__(self, rate: Rate, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._counts: dict[str, tuple[float, int]] = {}

    def count(self, name: str) -> int | None:
        """Count one of `name`; over the rate, return the seconds until it is not."""
        now = self._clock()
        start, count = self._counts.pop(name, (now, 0))
        if not 0 <= now - start < self._rate.seconds:
            start, count = now, 0
        self._counts[name] = (start, count + 1)  # the newest stands last
        if len(self._counts) > _REMEMBERED:
            del self._counts[next(iter(self._counts))]
        if count < self._rate.most:
            return None
        return max(1, math.ceil(start + self._rate.seconds - now))


class Rates:
    """What one server allows; without `calls`, any number of them."""

    def __init__(
        self, clock: Clock, *, calls: Rate | None = CALLS, failures: Rate = FAILURES
    ) -> None:
        self._limit = calls
        self._calls = Windows(calls, clock) if calls else None
        self._failures = Windows(failures, clock)

    def called(self, token_id: str) -> None:
        """Count a call.

        Raises:
            TooManyRequests: the token has called too often.
        """
        wait = self._calls.count(token_id) if self._calls else None
        if wait is not None and self._limit is not None:
            raise TooManyRequests(
                f"More than {self._limit.most} calls in "
                f"{self._limit.seconds:.0f} s. Try again in {wait} s.",
                wait,
            )

    def failed(self, peer: str) -> None:
        """Count a wrong token.

        Raises:
            TooManyRequests: the peer has shown too many.
        """
        wait = self._failures.count(peer)
        if wait is not None:
            raise TooManyRequests(
                f"Too many wrong tokens from {peer}. Try again in {wait} s.", wait
            )
