"""`Cache-Control`, read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedge.bindings.cache.rfc9111.directives import (
    DELTA_MAX_S,
    delta_seconds,
    field_names,
    parse_directives,
)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, {}),
        ("", {}),
        ("no-store", {"no-store": None}),
        ("Max-Age=60, PUBLIC", {"max-age": "60", "public": None}),
        ('max-age="60"', {"max-age": "60"}),
        ("max-age = 60", {"max-age": "60"}),
        ("private=Set-Cookie, max-age=5", {"private": "Set-Cookie", "max-age": "5"}),
        (
            'private="Set-Cookie, X-A", s-maxage=1',
            {"private": "Set-Cookie, X-A", "s-maxage": "1"},
        ),
        ("max-age=1, max-age=2", {"max-age": "1"}),
        (',, ;max-age=3;,"', {"max-age": "3"}),
        ('x="a\\"b", no-cache', {"x": 'a\\"b', "no-cache": None}),
    ],
)
def test_directives_are_read(header: str | None, expected: dict[str, str]) -> None:
    """Names ignore case, arguments may be quoted, the first of a name counts."""
    assert expected == parse_directives(header)


@given(st.text())
def test_any_text_is_read(header: str) -> None:
    """Nonsense gives some directives, not an exception."""
    parse_directives(header)


@pytest.mark.parametrize(
    ("argument", "seconds"),
    [
        ("0", 0),
        ("60", 60),
        (None, 0),
        ("-1", 0),
        ("1.5", 0),
        ("x", 0),
        ("٣", 0),
        ("9" * 400, DELTA_MAX_S),
        (str(2**31 + 1), DELTA_MAX_S),
        ("²", 0),
    ],
)
def test_seconds(argument: str | None, seconds: int) -> None:
    """What is not a whole number is stale at once; a huge one is capped."""
    assert seconds == delta_seconds(argument)


def test_field_names() -> None:
    """The argument of `private` is a list of names, of any case."""
    assert frozenset({"set-cookie", "x-a"}) == field_names("Set-Cookie , X-A,")
    assert frozenset() == field_names(None)
