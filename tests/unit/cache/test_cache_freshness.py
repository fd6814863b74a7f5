"""Which responses a shared cache stores, and how long they are fresh."""

import pytest

from selfedge.bindings.cache.limits import DEFAULT_TTL_S
from selfedge.bindings.cache.rfc9111.freshness import Fresh, Refused, judge

NOW = 784111777.0  # Sun, 06 Nov 1994 08:49:37 GMT
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
MINUTE_BEFORE = "Sun, 06 Nov 1994 08:48:37 GMT"
MINUTE_AFTER = "Sun, 06 Nov 1994 08:50:37 GMT"


def verdict(
    headers: dict[str, str], status: int = 200, *, authorized: bool = False
) -> Fresh | Refused:
    return judge(
        status, headers, authorized=authorized, now=NOW, default_ttl_s=DEFAULT_TTL_S
    )


@pytest.mark.parametrize(
    ("headers", "ttl_s"),
    [
        ({"cache-control": "max-age=60"}, 60),
        ({"cache-control": "max-age=60, s-maxage=5"}, 5),
        ({"cache-control": "s-maxage=90, max-age=0"}, 90),
        ({"cache-control": "max-age=60", "expires": MINUTE_BEFORE}, 60),
        ({"cache-control": "max-age=60", "age": "20"}, 40),
        ({"cache-control": "max-age=90", "date": MINUTE_BEFORE}, 30),
        ({"cache-control": "max-age=90", "date": MINUTE_BEFORE, "age": "70"}, 20),
        ({"cache-control": "max-age=90", "date": MINUTE_AFTER}, 90),
        ({"cache-control": "max-age=60", "age": "rubbish"}, 60),
        ({"expires": MINUTE_AFTER}, 60),
        ({"expires": MINUTE_AFTER, "date": DATE}, 60),
        ({"expires": MINUTE_AFTER, "date": MINUTE_BEFORE}, 60),
        ({"cache-control": "must-revalidate, max-age=7"}, 7),
        ({"cache-control": "public"}, 7200),
        ({"cache-control": "stale-while-revalidate=60, max-age=7"}, 7),
        ({}, 7200),
    ],
)
def test_time_to_live(headers: dict[str, str], ttl_s: float) -> None:
    """`s-maxage`, then `max-age`, then `Expires`, then the default; less the age."""
    fresh = verdict(headers)
    assert isinstance(fresh, Fresh)
    assert ttl_s == fresh.expires - NOW


@pytest.mark.parametrize(
    "headers",
    [
        {"cache-control": "no-store, max-age=60"},
        {"cache-control": "private, max-age=60"},
        {"cache-control": 'private="", max-age=60'},
        {"cache-control": "no-cache, max-age=60"},
        {"cache-control": "max-age=0"},
        {"cache-control": "max-age=rubbish"},
        {"cache-control": "max-age"},
        {"cache-control": "max-age=-5"},
        {"cache-control": "s-maxage=0, max-age=60"},
        {"cache-control": "max-age=60", "age": "60"},
        {"cache-control": "max-age=60", "date": MINUTE_BEFORE},
        {"expires": "0"},
        {"expires": MINUTE_BEFORE},
        {"expires": DATE},
        {"cache-control": "max-age=60", "set-cookie": "a=b"},
        {"cache-control": "private=X-Other, max-age=60", "set-cookie": "a=b"},
    ],
)
def test_refused(headers: dict[str, str]) -> None:
    """What may not be stored, or would be stale at once, is refused."""
    assert isinstance(verdict(headers), Refused)


@pytest.mark.parametrize("status", [100, 103, 199, 206, 304])
def test_partial_and_interim_statuses_are_refused(status: int) -> None:
    """Whatever their headers say."""
    answer = verdict({"cache-control": "public, max-age=60"}, status)
    assert isinstance(answer, Refused)


@pytest.mark.parametrize(
    ("status", "ttl_s"),
    [(200, 7200), (301, 7200), (302, 1200), (303, 1200), (404, 180), (410, 180)],
)
def test_default_time_to_live(status: int, ttl_s: int) -> None:
    """A status of the documented table needs no headers."""
    fresh = verdict({}, status)
    assert isinstance(fresh, Fresh)
    assert ttl_s == fresh.expires - NOW


@pytest.mark.parametrize("status", [201, 204, 307, 308, 400, 403, 500, 503, 504])
def test_other_statuses_must_name_their_time(status: int) -> None:
    """Any final status is stored when its headers say how long, else none is."""
    assert isinstance(verdict({}, status), Refused)
    assert isinstance(verdict({"cache-control": "max-age=1"}, status), Fresh)


def test_private_and_no_cache_name_headers_that_are_left_out() -> None:
    """Cloudflare's `private=Set-Cookie` stores the response without the cookie."""
    fresh = verdict(
        {
            "cache-control": 'private=Set-Cookie, no-cache="X-A, X-B", max-age=9',
            "set-cookie": "a=b",
        }
    )
    assert isinstance(fresh, Fresh)
    assert frozenset({"set-cookie", "x-a", "x-b"}) == fresh.dropped


@pytest.mark.parametrize(
    ("cache_control", "kind"),
    [
        ("max-age=60", Refused),
        ("public, max-age=60", Fresh),
        ("s-maxage=60", Fresh),
        ("must-revalidate, max-age=60", Fresh),
        ("proxy-revalidate, max-age=60", Fresh),
    ],
)
def test_authorized_requests(cache_control: str, kind: type) -> None:
    """A response to a request with `Authorization` must allow sharing (§3.5)."""
    answer = verdict({"cache-control": cache_control}, authorized=True)
    assert isinstance(answer, kind)


def test_birth_counts_the_age_it_came_with() -> None:
    """A response that came 20 s old is 20 s old when stored."""
    fresh = verdict({"cache-control": "max-age=60", "age": "20"})
    assert isinstance(fresh, Fresh)
    assert fresh.birth == NOW - 20
