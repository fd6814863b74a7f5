"""Whether a shared cache may store a response, and how long it is fresh."""

from collections.abc import Mapping
from dataclasses import dataclass

from selfedge.bindings.cache.rfc9111.dates import parse_date
from selfedge.bindings.cache.rfc9111.directives import (
    delta_seconds,
    field_names,
    parse_directives,
)

_PARTIAL = frozenset({206, 304})
_LETS_STORE_AUTHORIZED = ("public", "s-maxage", "must-revalidate", "proxy-revalidate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """A response that may be stored."""

    birth: float  # when its age was 0
    expires: float
    dropped: frozenset[str]  # lower-case names of headers that may not be stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A response that may not be stored, and why."""

    reason: str


def judge(
    status: int,
    headers: Mapping[str, str],
    *,
    authorized: bool,
    now: float,
    default_ttl_s: Mapping[int, int],
) -> Fresh | Refused:
    """Say whether the response may be stored, and until when it is fresh.

    `headers` has lower-case names; `authorized`: its request had `Authorization`;
    `default_ttl_s` is by status, for responses that name no time to live.
    """
    directives = parse_directives(headers.get("cache-control"))
    dropped = _dropped(directives)
    reason = _forbidden(status, headers, directives, dropped, authorized=authorized)
    if reason:
        return Refused(reason=reason)
    lifetime_s = _lifetime(status, headers, directives, default_ttl_s, now)
    if lifetime_s is None:
        return Refused(reason=f"status {status} without a time to live")
    birth = now - _initial_age(headers, now)
    if birth + lifetime_s <= now:
        return Refused(reason="already stale")
    return Fresh(birth=birth, expires=birth + lifetime_s, dropped=dropped)


def _dropped(directives: Mapping[str, str | None]) -> frozenset[str]:
    private = field_names(directives.get("private"))
    return private | field_names(directives.get("no-cache"))


def _forbidden(
    status: int,
    headers: Mapping[str, str],
    directives: Mapping[str, str | None],
    dropped: frozenset[str],
    *,
    authorized: bool,
) -> str | None:
    if status < 200 or status in _PARTIAL:
        return f"status {status} may not be cached"
    for name in ("no-store", "private", "no-cache"):
        if name in directives and directives[name] is None:
            return f"Cache-Control: {name}"
    if "set-cookie" in headers and "set-cookie" not in dropped:
        return "Set-Cookie without Cache-Control: private=Set-Cookie"
    if authorized and not any(name in directives for name in _LETS_STORE_AUTHORIZED):
        return "the request had Authorization, the response is not public"
    return None


def _lifetime(
    status: int,
    headers: Mapping[str, str],
    directives: Mapping[str, str | None],
    default_ttl_s: Mapping[int, int],
    now: float,
) -> float | None:
    for name in ("s-maxage", "max-age"):
        if name in directives:
            return delta_seconds(directives[name])
    if "expires" in headers:
        expires = parse_date(headers["expires"])
        date = parse_date(headers.get("date"))
        return 0 if expires is None else expires - (now if date is None else date)
    return default_ttl_s.get(status)


def _initial_age(headers: Mapping[str, str], now: float) -> float:
    date = parse_date(headers.get("date"))
    apparent = 0.0 if date is None else max(0.0, now - date)
    return max(apparent, delta_seconds(headers.get("age")))
