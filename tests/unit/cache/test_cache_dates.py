"""HTTP dates, read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedge.bindings.cache.rfc9111.dates import parse_date


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ],
)
def test_all_three_forms_are_read(text: str) -> None:
    """RFC 9110 names three forms of the same instant."""
    assert parse_date(text) == 784111777.0


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "0",
        "-1",
        "yesterday",
        "Sun, 99 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 99999999999 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT",
    ],
)
def test_others_are_no_dates(text: str | None) -> None:
    """What is not a date is None, never an exception."""
    assert parse_date(text) is None


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    """Nonsense gives None or a number, not an exception."""
    parse_date(text)
