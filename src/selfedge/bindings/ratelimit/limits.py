"""Numbers of rate limiting."""

PERIODS_S = (10, 60)
"""https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/"""

DELTA_MAX = 2**32 - 1

KEYS_MAX = 200_000
"""Counters that an account has at a time; the one unused for the longest goes first."""

CHECKS_MAX = 1000
"""Of one call to the service."""

BODY_MAX_BYTES = 16 * 1024 * 1024
DRAIN_MAX_BYTES = 256 * 1024 * 1024
"""Of a call that is refused: the engine wants to have sent it all."""
