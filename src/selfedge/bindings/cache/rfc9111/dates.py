"""HTTP dates (RFC 9110 §5.6.7)."""

from datetime import UTC, datetime
from email.utils import parsedate_tz

_MIN_LENGTH = len("Sun Nov  6 08:49:37 1994")


def parse_date(text: str | None) -> float | None:
    """Return seconds since the epoch, or None when absent or not a date."""
    if text is None or len(text) < _MIN_LENGTH:
        return None
    try:
        parts = parsedate_tz(text)
        if parts is None:
            return None
        year, month, day, hour, minute, second = parts[:6]
        time = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        return time.timestamp() - (parts[9] or 0)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
