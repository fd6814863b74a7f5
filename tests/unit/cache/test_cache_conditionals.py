"""`If-None-Match`, `If-Modified-Since` and `If-Range`."""

import pytest

from selfedge.bindings.cache.rfc9111.conditionals import not_modified, range_applies

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT"
AFTER = "Sun, 06 Nov 1994 08:49:38 GMT"


@pytest.mark.parametrize(
    ("none_match", "etag", "matches"),
    [
        ('"a"', '"a"', True),
        ('W/"a"', '"a"', True),
        ('"a"', 'W/"a"', True),
        ('"x", W/"y" ,"a"', '"a"', True),
        ('"a,b"', '"a,b"', True),
        ("*", '"a"', True),
        (" * ", None, True),
        ('"b"', '"a"', False),
        ('"A"', '"a"', False),
        ("a", '"a"', False),
        ('"a"', "a", False),
        ('"a"', None, False),
        ("", '"a"', False),
    ],
)
def test_none_match(none_match: str, etag: str | None, matches: object) -> None:
    """Tags compare weakly; a star means any stored response."""
    headers = {"if-none-match": none_match}
    assert matches == not_modified(headers.get, etag, None)


@pytest.mark.parametrize(
    ("since", "modified", "unchanged"),
    [
        (DATE, DATE, True),
        (AFTER, DATE, True),
        (BEFORE, DATE, False),
        ("rubbish", DATE, False),
        (DATE, "rubbish", False),
        (DATE, None, False),
    ],
)
def test_modified_since(since: str, modified: str | None, unchanged: object) -> None:
    """The response is unchanged when it was not modified after the date."""
    headers = {"if-modified-since": since}
    assert unchanged == not_modified(headers.get, None, modified)


def test_tags_come_before_dates() -> None:
    """`If-Modified-Since` does not count beside `If-None-Match`."""
    headers = {"if-none-match": '"b"', "if-modified-since": AFTER}
    assert not not_modified(headers.get, '"a"', DATE)


def test_no_condition() -> None:
    """An unconditional request is never answered 304."""
    assert not not_modified({}.get, '"a"', DATE)


@pytest.mark.parametrize(
    ("if_range", "etag", "modified", "applies"),
    [
        (None, None, None, True),
        ('"a"', '"a"', None, True),
        ('"b"', '"a"', None, False),
        ('W/"a"', 'W/"a"', None, False),
        ('"a"', 'W/"a"', None, False),
        (DATE, None, DATE, True),
        (AFTER, None, DATE, False),
        (DATE, None, None, False),
        ("rubbish", '"a"', "rubbish", False),
    ],
)
def test_if_range(
    if_range: str | None, etag: str | None, modified: str | None, applies: object
) -> None:
    """A range counts only if the copy is surely the same: strong tag or exact date."""
    headers = {} if if_range is None else {"if-range": if_range}
    assert applies == range_applies(headers.get, etag, modified)
