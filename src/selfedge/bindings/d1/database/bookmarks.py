"""Bookmarks: names of states of one database that sort as the states came about.

A bookmark holds the time of the state in microseconds, and whose it is:
`<seconds>-<microseconds>-00000000-<digest of the database's id>`, in hexadecimal.
"""

import hashlib
import re

from selfedge.types import Clock

_MICRO = 1_000_000
_SHAPE = re.compile(r"([0-9a-f]{8})-([0-9a-f]{8})-0{8}-([0-9a-f]{32})")


class Bookmarks:
    """Those of one database; each is later than all before, whatever the clock says."""

    def __init__(self, database: str, clock: Clock, *, after_us: int = 0) -> None:
        self._digest = hashlib.sha256(database.encode()).hexdigest()[:32]
        self._clock = clock
        self.time_us = after_us
        self.current = ""
        self.advance()

    def advance(self) -> str:
        """Name the state that a write has just made."""
        now = int(self._clock() * _MICRO)
        self.time_us = max(now, self.time_us + 1)
        self.current = self.name(self.time_us)
        return self.current

    def name(self, time_us: int) -> str:
        """Return the bookmark of a time."""
        seconds, micros = divmod(time_us, _MICRO)
        return f"{seconds:08x}-{micros:08x}-00000000-{self._digest}"

    def read(self, bookmark: str) -> int | None:
        """Return the time of a bookmark in microseconds; None: it is not of ours."""
        match = _SHAPE.fullmatch(bookmark.strip())
        if match is None or match[3] != self._digest:
            return None
        return int(match[1], 16) * _MICRO + int(match[2], 16)
