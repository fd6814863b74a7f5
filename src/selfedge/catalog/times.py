"""Times as Cloudflare's API writes them."""

from datetime import UTC, datetime


def iso(seconds: float) -> str:
    """Return seconds since the epoch as "2026-11-25T02:00:00.000000Z"."""
    when = datetime.fromtimestamp(seconds, UTC)
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")
