"""When conditions hold, which bytes a range means, and what R2 accepts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedge.bindings.r2 import errors, rules
from selfedge.bindings.r2.model import Conditions, Etag, Object, Range

FOUND = Object(key="k", version="v", size=1, etag="e", uploaded=5_500)


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        (None, True),
        (Conditions(), True),
        (Conditions(etag_matches=[Etag("strong", "e")]), True),
        (Conditions(etag_matches=[Etag("weak", "e")]), False),
        (Conditions(etag_matches=[Etag("strong", "x"), Etag("strong", "e")]), True),
        (Conditions(etag_matches=[Etag("wildcard")]), True),
        (Conditions(etag_matches=[]), False),
        (Conditions(etag_does_not_match=[Etag("strong", "x")]), True),
        (Conditions(etag_does_not_match=[Etag("strong", "e")]), False),
        (Conditions(etag_does_not_match=[Etag("weak", "e")]), False),
        (Conditions(etag_does_not_match=[Etag("wildcard")]), False),
        (Conditions(uploaded_after=5_499), True),
        (Conditions(uploaded_after=5_500), False),
        (Conditions(uploaded_before=5_501), True),
        (Conditions(uploaded_before=5_500), False),
        (Conditions(uploaded_after=5_000, seconds_granularity=True), False),
        (Conditions(uploaded_after=4_999, seconds_granularity=True), True),
        (Conditions(uploaded_before=5_999, seconds_granularity=True), False),
        (Conditions(uploaded_before=6_000, seconds_granularity=True), True),
        (Conditions(etag_matches=[Etag("strong", "e")], uploaded_before=1), True),
        (Conditions(etag_matches=[Etag("strong", "x")], uploaded_before=9_999), False),
        (
            Conditions(etag_does_not_match=[Etag("strong", "x")], uploaded_after=9_999),
            True,
        ),
    ],
)
def test_conditions_on_an_object(conditions: Conditions | None, *, holds: bool) -> None:
    assert rules.met(conditions, FOUND) is holds


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        (None, True),
        (Conditions(etag_matches=[Etag("wildcard")]), False),
        (Conditions(etag_does_not_match=[Etag("wildcard")]), True),
        (Conditions(uploaded_after=0), False),
        (Conditions(uploaded_before=0), True),
    ],
)
def test_conditions_where_there_is_none(
    conditions: Conditions | None, *, holds: bool
) -> None:
    assert rules.met(conditions, None) is holds


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (None, (0, 10)),
        (Range(), (0, 10)),
        (Range(offset=3), (3, 7)),
        (Range(length=4), (0, 4)),
        (Range(offset=8, length=100), (8, 2)),
        (Range(suffix=3), (7, 3)),
        (Range(suffix=100), (0, 10)),
        ("bytes=2-4", (2, 3)),
        ("BYTES=2-", (2, 8)),
        ("bytes=-4", (6, 4)),
        ("bytes=0-99999999999999999999999", (0, 10)),
        ("bytes=10-", (0, 10)),
        ("bytes=1-2,4-5", (0, 10)),
        ("", (0, 10)),
    ],
)
def test_spans(asked: Range | str | None, expected: tuple[int, int]) -> None:
    assert rules.span(asked, 10) == expected


@pytest.mark.parametrize(
    "asked",
    [
        Range(offset=10),
        Range(offset=11),
        Range(length=0),
        Range(suffix=0),
        Range(offset=-1),
    ],
)
def test_spans_outside(asked: Range) -> None:
    with pytest.raises(errors.InvalidRange):
        rules.span(asked, 10)


@given(st.text(max_size=30), st.integers(0, 100))
def test_a_header_means_bytes_that_are_there(text: str, size: int) -> None:
    for header in (text, f"bytes={text}"):
        start, length = rules.span(header, size)
        assert 0 <= start <= start + length <= size


@pytest.mark.parametrize("key", ["", "x" * 1025, "é" * 513, "\ud800"])
def test_keys_that_are_none(key: str) -> None:
    with pytest.raises(errors.InvalidKey):
        rules.check_key(key)


@pytest.mark.parametrize("key", ["x" * 1024, "é" * 512, "\0", ".", "..", "/"])
def test_keys(key: str) -> None:
    assert rules.check_key(key) == key


@pytest.mark.parametrize(
    "name", ["ab", "x" * 64, "-ab", "ab-", "Abc", "a_b", "a.b", ""]
)
def test_names_that_no_bucket_has(name: str) -> None:
    with pytest.raises(errors.InvalidBucketName):
        rules.check_bucket_name(name)


def test_metadata_is_counted_as_the_engine_keeps_it() -> None:
    """A string with any character over 255 takes two bytes for each unit."""
    rules.check_custom({"k": "é" * 8191})
    rules.check_custom({"k": "x" * 8191})
    rules.check_custom({"k": "€" * 4095})
    for value in ("é" * 8192, "€" * 4096, "😀" * 2048):
        with pytest.raises(errors.MetadataTooLarge):
            rules.check_custom({"k": value})


def test_sizes() -> None:
    rules.check_size(5 * 1024**3 - 5 * 1024**2)
    with pytest.raises(errors.EntityTooLarge):
        rules.check_size(5 * 1024**3 - 5 * 1024**2 + 1)
