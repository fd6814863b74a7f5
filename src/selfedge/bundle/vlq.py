"""Base64 VLQ, the numbers of a source map's `mappings`."""

from collections.abc import Iterator
from typing import Final

_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_DIGITS: Final = bytes(
    _ALPHABET.index(code) if code in _ALPHABET else 255 for code in range(256)
)


def decode_vlq(segment: bytes) -> Iterator[int]:
    """Yield the numbers in `segment`.

    Raises:
        ValueError: `segment` is not base64 VLQ.
    """
    number = shift = 0
    for digit in segment.translate(_DIGITS):
        if digit > 63:
            raise ValueError(f"not base64 VLQ: {segment[:40]!r}")
        number |= (digit & 31) << shift
        if digit & 32:
            shift += 5
        else:
            yield -(number >> 1) if number & 1 else number >> 1
            number = shift = 0
    if shift:
        raise ValueError(f"base64 VLQ is cut short: {segment[:40]!r}")


def encode_vlq(number: int) -> bytes:
    """Return `number` as base64 VLQ."""
    rest = (-number << 1 | 1) if number < 0 else number << 1
    digits = bytearray()
    while True:
        digits.append(_ALPHABET[(rest & 31) | (32 if rest > 31 else 0)])
        rest >>= 5
        if not rest:
            return bytes(digits)
