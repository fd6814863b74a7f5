"""The packets that esbuild speaks on its pipes, as bytes and as values.

A packet is a length, an id and one value; all numbers are little-endian. The lowest
bit of the id is 0 for a request and 1 for the answer to one.
"""

import struct
from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = "bool | int | str | bytes | list[Value] | dict[str, Value] | None"
Fields: TypeAlias = dict[str, Value]

_NULL, _BOOL, _INT, _TEXT, _BYTES, _LIST, _DICT = range(7)
_U32 = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Packet:
    """A request of ours or of esbuild's, or the answer to one."""

    id: int
    is_request: bool
    value: Fields


def encode(packet: Packet) -> bytes:
    """Return `packet` with its length before it."""
    body = bytearray(8)
    _write(packet.value, body)
    _U32.pack_into(body, 0, len(body) - 4)
    _U32.pack_into(body, 4, packet.id << 1 | (not packet.is_request))
    return bytes(body)


def decode(body: bytes) -> Packet:
    """Return the packet in `body`, which comes without its length.

    Raises:
        ValueError: `body` is not a packet.
    """
    try:
        number = _U32.unpack_from(body, 0)[0]
        value, end = _read(body, 4)
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise ValueError("a packet is cut short") from error
    if end != len(body) or not isinstance(value, dict):
        raise ValueError("a packet is malformed")
    return Packet(number >> 1, not number & 1, value)


def _write(value: Value, into: bytearray) -> None:
    match value:
        case None:
            into.append(_NULL)
        case bool():
            into += bytes((_BOOL, value))
        case int():
            into.append(_INT)
            into += _U32.pack(value & 0xFFFFFFFF)
        case str():
            into.append(_TEXT)
            _write_bytes(value.encode(), into)
        case bytes():
            into.append(_BYTES)
            _write_bytes(value, into)
        case _:
            _write_many(value, into)


def _write_many(value: list[Value] | Fields, into: bytearray) -> None:
    into.append(_LIST if isinstance(value, list) else _DICT)
    into += _U32.pack(len(value))
    if isinstance(value, list):
        for item in value:
            _write(item, into)
    else:
        for key, item in value.items():
            _write_bytes(key.encode(), into)
            _write(item, into)


def _write_bytes(raw: bytes, into: bytearray) -> None:
    into += _U32.pack(len(raw))
    into += raw


def _read(body: bytes, at: int) -> tuple[Value, int]:
    tag = body[at]
    at += 1
    if tag == _NULL:
        return None, at
    if tag == _BOOL:
        return body[at] != 0, at + 1
    if tag in (_TEXT, _BYTES):
        raw, at = _read_bytes(body, at)
        return (raw.decode() if tag == _TEXT else raw), at
    number = _U32.unpack_from(body, at)[0]
    if tag == _INT:
        return number, at + 4
    if tag == _LIST:
        return _read_list(body, at + 4, number)
    if tag == _DICT:
        return _read_dict(body, at + 4, number)
    raise ValueError(f"a packet has a value of the unknown kind {tag}")


def _read_bytes(body: bytes, at: int) -> tuple[bytes, int]:
    start = at + 4
    end = start + _U32.unpack_from(body, at)[0]
    if end > len(body):
        raise IndexError(end)
    return body[start:end], end


def _read_list(body: bytes, at: int, count: int) -> tuple[list[Value], int]:
    items: list[Value] = []
    for _ in range(count):
        item, at = _read(body, at)
        items.append(item)
    return items, at


def _read_dict(body: bytes, at: int, count: int) -> tuple[Fields, int]:
    fields: Fields = {}
    for _ in range(count):
        key, at = _read_bytes(body, at)
        fields[key.decode()], at = _read(body, at)
    return fields, at
