"""Bytes that the engine wrote for `ctx.storage.put`, and what is shown of them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedge.control.serialized import Unreadable, shown

BUFFER = b"\xff\x0fB\x03\x01\x02\x03VB\x00\x03\x00"
NESTED = (
    b'\xff\x0fo"\x01aI\x02"\x01bA\x05I\x02N\x00\x00\x00\x00\x00\x00\x04@"\x01x0T$\x00'
    b'\x05"\x01dD\x00\x00\x00\x00\x00\x00\x00\x00{\x03'
)
SEEN = '{"a": 1, "b": [1, 2.5, "x", null, true], "d": Date 1970-01-01T00:00:00+00:00}'


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xff\x0fI\x0e", "7"),
        (b"\xff\x0fI\t", "-5"),
        (b"\xff\x0fZ\x10\n\x00\x00\x00\x00\x00\x00\x00", "10n"),
        (b"\xff\x0fN\x9cu\x00\x88<\xe47~", "1e+300"),
        (b'\xff\x0f"\x05h\xe4llo', '"hällo"'),
        (b"\xff\x0fc\n\xac  \x00u\x00r\x00o\x00", '"€ uro"'),
        (b"\xff\x0fa\x03I\x00I\x02I\x04I\x06@\x02\x03", "Array(3) {0: 1, 2: 3}"),
        (b"\xff\x0f;\"\x01k'I\x02,\x01:\x02", 'Map {"k" => Set {1}}'),
        (BUFFER, "Uint8Array (3 bytes) 01 02 03"),
        (NESTED, SEEN),
        (b"\xff\x0f_", "undefined"),
    ],
)
def test_what_the_engine_wrote_is_shown(data: bytes, text: str) -> None:
    assert shown(data) == text


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff", b"\xff\x0f", b"\xff\x7fT", b"\xff\x0fTT", b"\xff\x0f\\", b"plain"],
)
def test_what_is_not_known_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        shown(data)


def test_deep_values_end() -> None:
    with pytest.raises(Unreadable):
        shown(b"\xff\x0f" + b"A\x01" * 100_000)


@given(st.binary(max_size=200))
def test_broken_bytes_are_shown_or_refused(data: bytes) -> None:
    with suppress(Unreadable):
        assert isinstance(shown(b"\xff\x0f" + data), str)
