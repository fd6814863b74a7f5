"""HTTP dates (RFC 9110 §5.6.7)."""

from email.utils import mktime_tz, parsedate_tz

_MONTH_AND_TIME_MIN = len("Sun Nov  6 08:49:37 1994")


def parse_date(text: str | None) -> float | None:
    """Return seconds since the epoch, or None when absent or not a date."""
    if text is None or len(text) < _MONTH_AND_TIME_MIN:
        return None
    try:
        parts = parsedate_tz(text)
        return None if parts is None else float(mktime_tz(parts))
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
