"""`Range` with one range."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedge.bindings.cache.rfc9111.ranges import Part, Whole, select_range

IGNORED, UNSATISFIABLE = Whole.IGNORED, Whole.UNSATISFIABLE


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-4", Part(0, 5)),
        ("bytes=0-0", Part(0, 1)),
        ("bytes=3-", Part(3, 10)),
        ("bytes=0-", Part(0, 10)),
        ("bytes=8-100", Part(8, 10)),
        ("bytes=-3", Part(7, 10)),
        ("bytes=-100", Part(0, 10)),
        ("BYTES = 1 - 2", Part(1, 3)),
        ("bytes=10-", UNSATISFIABLE),
        ("bytes=10-12", UNSATISFIABLE),
        ("bytes=-0", UNSATISFIABLE),
        ("bytes=5-4", IGNORED),
        ("bytes=0-1,3-4", IGNORED),
        ("bytes=-", IGNORED),
        ("bytes=", IGNORED),
        ("bytes=a-b", IGNORED),
        ("bytes=1", IGNORED),
        ("items=0-1", IGNORED),
        ("bytes=\u0660-\u0664", IGNORED),
        ("bytes=" + "9" * 5000 + "-", IGNORED),
        ("", IGNORED),
        (None, IGNORED),
    ],
)
def test_ranges_of_ten_bytes(header: str | None, expected: object) -> None:
    """Several ranges, other units and malformed ones mean: send all of it."""
    assert expected == select_range(header, 10)


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-0", "bytes=-1"])
def test_nothing_of_an_empty_body_exists(header: str) -> None:
    """An empty body satisfies no range."""
    assert select_range(header, 0) is UNSATISFIABLE


@given(first=st.integers(0, 60), last=st.integers(0, 60), body=st.binary(max_size=50))
def test_part_is_what_python_slices(first: int, last: int, body: bytes) -> None:
    """`bytes=first-last` is the slice [first, last + 1), where that is not empty."""
    part = select_range(f"bytes={first}-{last}", len(body))
    if isinstance(part, Part):
        assert body[first : last + 1] == body[part.start : part.end] != b""
    elif part is UNSATISFIABLE:
        assert first >= len(body)
    else:
        assert last < first


@given(size=st.integers(0, 60), body=st.binary(max_size=50))
def test_suffix_is_the_end(size: int, body: bytes) -> None:
    """`bytes=-size` is the last `size` bytes, or all."""
    part = select_range(f"bytes=-{size}", len(body))
    if isinstance(part, Part):
        assert body[part.start : part.end] == body[-size:]
    else:
        assert size == 0 or not body


@given(header=st.text(), length=st.integers(0, 2**40))
def test_any_text_is_read(header: str, length: int) -> None:
    """A part lies within the body and is not empty, whatever is asked."""
    part = select_range(header, length)
    if isinstance(part, Part):
        assert 0 <= part.start < part.end <= length
