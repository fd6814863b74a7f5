"""The log of a Worker, as it was kept."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from selfedge.api.codes import BAD_QUERY
from selfedge.binding import Call, Route
from selfedge.control.workers.problem import bad
from selfedge.control.workers.workers import Workers
from selfedge.telemetry.logs.query import LIMIT, LIMIT_MAX, Wanted
from selfedge.telemetry.sampling import kept_share

_PATH = "/accounts/{account}/workers/scripts/{script}/logs"
_AGO = re.compile(r"(\d{1,9})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FIELDS = frozenset({"since", "until", "after", "search", "outcome", "limit"})

Find: TypeAlias = Callable[
    [tuple[str, str], Wanted], Awaitable[Sequence[Mapping[str, Any]]]
]
"""Looks into the log of (account, script)."""


@dataclass(frozen=True, slots=True)
class Logs:
    """Finds entries; Cloudflare has no such route."""

    workers: Workers
    find: Find

    def routes(self) -> Sequence[Route]:
        """Return its route."""
        return [Route(method="GET", path=_PATH, answer=self._list)]

    async def _list(self, call: Call) -> Mapping[str, Any]:
        script = self.workers.script(call)
        wanted = wanted_of(call.query, self.workers.clock())
        share = kept_share(script.settings.observability)
        events = await self.find((call.account, script.name), wanted)
        return {"sampling_rate": share, "events": events}


def wanted_of(query: Mapping[str, str], now_s: float) -> Wanted:
    """Return which entries a query asks for.

    Raises:
        ApiError: it is wrong.
    """
    if unknown := set(query) - _FIELDS:
        raise _wrong(f"{min(unknown)[:80]!r} is no field: {', '.join(sorted(_FIELDS))}")
    return Wanted(
        since_ms=_moment(query.get("since"), now_s),
        until_ms=_moment(query.get("until"), now_s),
        after=query.get("after"),
        search=query.get("search"),
        outcome=query.get("outcome"),
        limit=_limit(query.get("limit")),
    )


def _limit(text: str | None) -> int:
    if text is None:
        return LIMIT
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= LIMIT_MAX:
        raise _wrong(f"limit {text[:20]!r} is not a number from 1 to {LIMIT_MAX}")
    return int(text)


def _moment(text: str | None, now_s: float) -> float | None:
    """Return milliseconds; `text` is "1h" ago, milliseconds or ISO 8601."""
    if text is None:
        return None
    if match := _AGO.fullmatch(text):
        return (now_s - int(match[1]) * _SECONDS[match[2]]) * 1000
    try:
        if text.isascii() and text.isdigit():
            return float(text[:20])
        moment = datetime.fromisoformat(text)
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return zoned.timestamp() * 1000
    except (ValueError, OverflowError):
        raise _wrong(
            f"{text[:40]!r} is no moment: write 30m, 2h or 1d for that long ago, "
            "2026-10-01T12:00:00Z, or milliseconds"
        ) from None


def _wrong(what: str) -> Exception:
    return bad(f"The query is wrong: {what}.", BAD_QUERY)
