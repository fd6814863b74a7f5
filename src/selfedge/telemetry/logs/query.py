"""Finds entries in the log of one Worker."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from selfedge.telemetry.logs.files import newest_first

LIMIT = 100
LIMIT_MAX = 1000


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries; all that is given must hold."""

    since_ms: float | None = None
    until_ms: float | None = None
    after: str | None = None  # the id of an entry that was seen
    search: str | None = None  # in what was logged, thrown or asked for, in any case
    outcome: str | None = None
    limit: int = LIMIT

    def passes(self, entry: Mapping[str, Any]) -> bool:
        """Whether an entry is one of them."""
        time_ms = float(entry.get("eventTimestamp") or entry.get("time") or 0)
        return (
            (self.since_ms is None or time_ms >= self.since_ms)
            and (self.until_ms is None or time_ms < self.until_ms)
            and (self.after is None or str(entry.get("id")) > self.after)
            and (self.outcome is None or entry.get("outcome") == self.outcome)
            and (self.search is None or _says(entry, self.search.lower()))
        )


def find(folder: Path, wanted: Wanted) -> Sequence[Mapping[str, Any]]:
    """Return the newest entries that are wanted, in the order of time."""
    found: deque[Mapping[str, Any]] = deque()
    for file in newest_first(folder):
        if wanted.since_ms is not None and _ended(file) < wanted.since_ms:
            break
        here = [entry for entry in _entries(file) if wanted.passes(entry)]
        found.extendleft(reversed(here[-(wanted.limit - len(found)) :]))
        if len(found) >= wanted.limit:
            break
    return list(found)


def _ended(file: Path) -> float:
    """Return when the file was written to last, in milliseconds."""
    try:
        return file.stat().st_mtime * 1000 + 1000
    except OSError:
        return 0.0


def _entries(file: Path) -> Iterator[Mapping[str, Any]]:
    """Yield what is whole; a crash may have broken a line off."""
    try:
        with file.open("rb") as stream:
            for line in stream:
                try:
                    entry = msgspec.json.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue
                if isinstance(entry, dict):
                    yield entry
    except FileNotFoundError:  # it was too old
        return


def _says(entry: Mapping[str, Any], text: str) -> bool:
    said = [message for log in entry.get("logs") or () for message in log["message"]]
    thrown = [
        f"{one.get('name')}: {one.get('message')}"
        for one in entry.get("exceptions") or ()
    ]
    event = entry.get("event") or {}
    request = event.get("request") or {}
    asked = [request.get("method"), request.get("url"), event.get("cron")]
    return any(text in _text(part).lower() for part in (*said, *thrown, *asked) if part)


def _text(part: object) -> str:
    return part if isinstance(part, str) else msgspec.json.encode(part).decode()
