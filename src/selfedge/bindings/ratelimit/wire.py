"""Bytes of a call ↔ checks: pure.

The body is a JSON array of checks, each [key, limit, period, delta]; the answer is an
array of booleans, in the same order.
"""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import msgspec

from selfedge.bindings.ratelimit.errors import RateLimitError
from selfedge.bindings.ratelimit.limits import CHECKS_MAX, DELTA_MAX, PERIODS_S


class Check(NamedTuple):
    """Whether a key may come once more."""

    key: str
    limit: float
    period: int  # seconds
    delta: Annotated[int, msgspec.Meta(ge=1, le=DELTA_MAX)]


_decoder = msgspec.json.Decoder(list[Check])
_encoder = msgspec.json.Encoder()


def checks(body: bytes) -> Sequence[Check]:
    """Return the checks of a call.

    Raises:
        RateLimitError: it has another shape, or too many.
    """
    try:
        found = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RateLimitError(f"The call is wrong: {error}.") from error
    if len(found) > CHECKS_MAX:
        raise RateLimitError(f"{len(found)} checks are more than {CHECKS_MAX}.")
    if any(one.period not in PERIODS_S for one in found):
        raise RateLimitError(f"A period is one of {PERIODS_S} seconds.")
    return found


def answer(allowed: Sequence[bool]) -> bytes:
    """Return the body of the answer."""
    return _encoder.encode(allowed)
