"""Tokens with timestamps among them → phrases with their places."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """What stands between two timestamps, in seconds from the piece's begin."""

    tokens: Sequence[int]
    start: float
    end: float


def phrases(
    tokens: Sequence[int], first_timestamp: int, step_s: float, length_s: float
) -> tuple[Sequence[Phrase], float]:
    """Return the phrases, and how far the piece of `length_s` seconds was heard.

    A phrase that the piece's end cuts off is left to the next piece, unless it is
    the only one.
    """
    found: list[Phrase] = []
    open_tokens: list[int] = []
    start = 0.0
    for token in tokens:
        if token < first_timestamp:
            open_tokens.append(token)
            continue
        at = min((token - first_timestamp) * step_s, length_s)
        if open_tokens:
            end = max(at, start)
            found.append(Phrase(tokens=tuple(open_tokens), start=start, end=end))
            open_tokens.clear()
        start = at
    if open_tokens and not found:
        whole = Phrase(tokens=tuple(open_tokens), start=start, end=length_s)
        return [whole], length_s
    if open_tokens or _pair_at_end(tokens, first_timestamp):
        return found, start or length_s
    return found, length_s


def _pair_at_end(tokens: Sequence[int], first_timestamp: int) -> bool:
    """Tell whether the model announced that another phrase follows."""
    return len(tokens) >= 2 and all(token >= first_timestamp for token in tokens[-2:])
