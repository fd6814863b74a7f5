import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedge.bundle.vlq import decode_vlq, encode_vlq


@given(st.lists(st.integers(-(2**31), 2**31)))
def test_what_is_encoded_is_decoded(numbers: list[int]) -> None:
    assert list(decode_vlq(b"".join(map(encode_vlq, numbers)))) == numbers


@pytest.mark.parametrize(
    ("segment", "numbers"),
    [
        (b"AAAA", [0, 0, 0, 0]),
        (b"D", [-1]),
        (b"gB", [16]),
        (b"2HwcqxB", [123, 456, 789]),
    ],
)
def test_known_segments(segment: bytes, numbers: list[int]) -> None:
    assert list(decode_vlq(segment)) == numbers


@given(st.binary(max_size=20))
def test_noise_gives_numbers_or_a_value_error(segment: bytes) -> None:
    try:
        list(decode_vlq(segment))
    except ValueError:
        return


@pytest.mark.parametrize("segment", [b"g", b"!", b"A\xff"])
def test_damage_is_a_value_error(segment: bytes) -> None:
    with pytest.raises(ValueError, match="base64 VLQ"):
        list(decode_vlq(segment))
