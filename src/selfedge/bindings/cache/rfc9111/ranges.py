"""The `Range` header for one range of bytes (RFC 9110 §14)."""

import re
from dataclasses import dataclass
from enum import Enum

_ONE_RANGE = re.compile(r"bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*", re.ASCII | re.IGNORECASE)
_DIGITS_MAX = 20


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes [`start`, `end`)."""

    start: int
    end: int


class Whole(Enum):
    """A `Range` that names no part."""

    IGNORED = "ignored"  # absent, malformed, another unit, several ranges: send all
    UNSATISFIABLE = "unsatisfiable"  # nothing of it exists: 416


def select_range(header: str | None, length: int) -> Part | Whole:
    """Return the part of `length` bytes that `header` asks for."""
    found = _ONE_RANGE.fullmatch(header.strip()) if header else None
    if found is None or max(map(len, found.groups())) > _DIGITS_MAX:
        return Whole.IGNORED
    first, last = found.groups()
    if not first:
        return _suffix(last, length)
    start = int(first)
    if last and int(last) < start:
        return Whole.IGNORED
    if start >= length:
        return Whole.UNSATISFIABLE
    return Part(start, min(int(last) + 1, length) if last else length)


def _suffix(last: str, length: int) -> Part | Whole:
    if not last:
        return Whole.IGNORED
    size = min(int(last), length)
    return Part(length - size, length) if size else Whole.UNSATISFIABLE
