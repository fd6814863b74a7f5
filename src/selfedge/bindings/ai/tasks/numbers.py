"""Reads JSON that holds bytes as millions of numbers, without holding up the loop.

A picture of 2 MB is 7 MB as an array; a `Uint8Array` comes as an object of 26 MB,
`{"0":137,"1":80,…}`. Both become bytes, a piece at a time: between two pieces the
other threads have their turn.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

T = TypeVar("T")

LARGE_BYTES = 256 * 1024
"""What is shorter is read at once, as it is."""

PIECE_BYTES = 128 * 1024

_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NUMBERS = msgspec.json.Decoder(list[int])
_PAIRS = bytes.maketrans(b":", b",")


async def read(decode: Callable[[bytes], T], body: bytes) -> T:
    """Return `decode(body)`; a large body is decoded in a thread."""
    if len(body) < LARGE_BYTES:
        return decode(body)
    return await asyncio.to_thread(decode, body)


def decode(raw: bytes) -> object:
    """Return what the JSON `raw` says; large fields of numbers are `bytes`.

    Raises:
        msgspec.DecodeError: it is no JSON.
    """
    if len(raw) < LARGE_BYTES or raw.lstrip()[:1] != b"{":
        return msgspec.json.decode(raw)
    return {name: _value(bytes(value)) for name, value in _FIELDS.decode(raw).items()}


def _value(raw: bytes) -> object:
    if len(raw) >= LARGE_BYTES:
        try:
            if raw.startswith(b'{"0":') and raw.endswith(b"}"):
                return _of_object(raw)
            if raw.startswith(b"[") and raw[1:].lstrip()[:1].isdigit():
                return _of_array(raw)
        except (ValueError, msgspec.MsgspecError):
            pass  # no bytes after all
    return msgspec.json.decode(raw)


def _of_array(raw: bytes) -> bytes:
    return b"".join(
        bytes(_NUMBERS.decode(b"[" + piece + b"]")) for piece in _pieces(raw, b",")
    )


def _of_object(raw: bytes) -> bytes:
    found = bytearray()
    for piece in _pieces(raw, b',"'):
        flat = piece.replace(b'"', b"").translate(_PAIRS)
        pairs = _NUMBERS.decode(b"[" + flat + b"]")
        end = len(found) + len(pairs) // 2
        if pairs[::2] != list(range(len(found), end)):
            raise ValueError("the places are not in order")
        found += bytes(pairs[1::2])
    return bytes(found)


def _pieces(raw: bytes, separator: bytes) -> Iterator[bytes]:
    """Yield what is between the brackets, cut at commas."""
    start, end = 1, len(raw) - 1
    while start < end:
        cut = raw.find(separator, start + PIECE_BYTES, end)
        cut = end if cut < 0 else cut
        yield raw[start:cut]
        start = cut + 1
