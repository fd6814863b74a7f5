import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedge.bundle.packets import Packet, decode, encode

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(0, 2**32 - 1)
    | st.text()
    | st.binary(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.integers(0, 2**31 - 1), st.booleans(), st.dictionaries(st.text(), VALUES))
def test_what_is_encoded_is_decoded(number: int, is_request: bool, value: dict) -> None:  # noqa: FBT001
    packet = Packet(number, is_request, value)
    raw = encode(packet)
    assert int.from_bytes(raw[:4], "little") == len(raw) - 4
    assert decode(raw[4:]) == packet


@given(st.binary(max_size=60))
def test_noise_is_refused_with_a_value_error(body: bytes) -> None:
    try:
        decode(body)
    except ValueError:
        return


def test_a_packet_that_is_cut_short_is_refused() -> None:
    body = encode(Packet(1, is_request=True, value={"key": "value"}))[4:]
    with pytest.raises(ValueError, match="cut short"):
        decode(body[:-1])
    with pytest.raises(ValueError, match="malformed"):
        decode(body + b"\0")
