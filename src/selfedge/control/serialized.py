"""Values as V8 serializes them → text as a console would print it. Pure.

Durable Objects keep their key-value pairs so (`ctx.storage.put`).
"""

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

DEPTH_MAX = 64
_BEGIN = 0xFF
_VERSION_MAX = 15
_FLAGS_SINCE = 14  # a view of a buffer has flags since this version
_VIEWS: Mapping[str, str] = {
    "b": "Int8Array",
    "B": "Uint8Array",
    "C": "Uint8ClampedArray",
    "w": "Int16Array",
    "W": "Uint16Array",
    "d": "Int32Array",
    "D": "Uint32Array",
    "h": "Float16Array",
    "f": "Float32Array",
    "F": "Float64Array",
    "q": "BigInt64Array",
    "Q": "BigUint64Array",
    "?": "DataView",
}
_PLAIN: Mapping[str, str] = {
    "_": "undefined",
    "0": "null",
    "T": "true",
    "F": "false",
    "-": "",  # a hole of an array
}


class Unreadable(Exception):
    """The bytes hold what is not known here."""


def shown(data: bytes) -> str:
    """Return a value as text.

    Raises:
        Unreadable: it is of a kind that is not known here, or broken.
    """
    reader = _Reader(data)
    try:
        if reader.byte() != _BEGIN or reader.varint() > _VERSION_MAX:
            raise Unreadable
        text = reader.value(0)
    except (IndexError, ValueError, OverflowError, struct.error) as error:
        raise Unreadable from error
    if reader.at != len(data):
        raise Unreadable
    return text


@dataclass(slots=True)
class _Reader:
    data: bytes
    at: int = 0

    def byte(self) -> int:
        found = self.data[self.at]
        self.at += 1
        return found

    def take(self, size: int) -> bytes:
        part = self.data[self.at : self.at + size]
        if len(part) != size:
            raise Unreadable
        self.at += size
        return part

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def tag(self) -> str:
        while (byte := self.byte()) == 0:  # padding
            pass
        return chr(byte)

    def value(self, depth: int) -> str:
        if depth > DEPTH_MAX:
            raise Unreadable
        tag = self.tag()
        if tag in _PLAIN:
            return _PLAIN[tag]
        if tag in _LEAVES:
            return _LEAVES[tag](self)
        if tag in _NESTED:
            return _NESTED[tag](self, depth + 1)
        raise Unreadable

    def until(self, end: str, depth: int) -> list[str]:
        """Return the values before a tag."""
        found: list[str] = []
        while True:
            begin = self.at
            if self.tag() == end:
                return found
            self.at = begin
            found.append(self.value(depth))


def _signed(reader: _Reader) -> str:
    raw = reader.varint()
    return str((raw >> 1) ^ -(raw & 1))


def _double(reader: _Reader) -> str:
    (value,) = struct.unpack("<d", reader.take(8))
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else str(value)


def _big(reader: _Reader) -> str:
    bits = reader.varint()
    size = int.from_bytes(reader.take(bits >> 1), "little")
    if size.bit_length() > 4096:  # Python refuses to print more digits, rightly
        return f"{'-' if bits & 1 else ''}0x{size:x}n"
    return f"{-size if bits & 1 else size}n"


def _date(reader: _Reader) -> str:
    (ms,) = struct.unpack("<d", reader.take(8))
    return f"Date {datetime.fromtimestamp(ms / 1000, UTC).isoformat()}"


def _text(encoding: str) -> Callable[[_Reader], str]:
    def read(reader: _Reader) -> str:
        raw = reader.take(reader.varint())
        return json.dumps(raw.decode(encoding, "replace"), ensure_ascii=False)

    return read


def _expression(reader: _Reader) -> str:
    pattern = json.loads(reader.value(DEPTH_MAX))
    flags = reader.varint()
    names = "".join(name for bit, name in enumerate("gimyusdv") if flags >> bit & 1)
    return f"/{pattern}/{names}"


def _buffer(reader: _Reader) -> str:
    content = reader.take(reader.varint())
    if reader.data[reader.at : reader.at + 1] != b"V":
        return _hex("ArrayBuffer", content)
    reader.at += 1
    name = _VIEWS.get(chr(reader.byte()))
    if name is None:
        raise Unreadable
    offset, size = reader.varint(), reader.varint()
    if reader.data[1] >= _FLAGS_SINCE:
        reader.varint()
    return _hex(name, content[offset : offset + size])


def _hex(name: str, content: bytes) -> str:
    return f"{name} ({len(content)} bytes) {content.hex(' ')}".rstrip()


def _object(reader: _Reader, depth: int) -> str:
    found = reader.until("{", depth)
    reader.varint()
    return f"{{{_pairs(found, ': ')}}}"


def _dense(reader: _Reader, depth: int) -> str:
    size = reader.varint()
    if size > len(reader.data):
        raise Unreadable
    items = [reader.value(depth) for _ in range(size)]
    extra = reader.until("$", depth)
    reader.varint()
    reader.varint()
    more = [_pairs(extra, ": ")] if extra else []
    return f"[{', '.join([*items, *more])}]"


def _sparse(reader: _Reader, depth: int) -> str:
    size = reader.varint()
    found = reader.until("@", depth)
    reader.varint()
    reader.varint()
    return f"Array({size}) {{{_pairs(found, ': ')}}}"


def _map(reader: _Reader, depth: int) -> str:
    found = reader.until(":", depth)
    reader.varint()
    return f"Map {{{_pairs(found, ' => ')}}}"


def _set(reader: _Reader, depth: int) -> str:
    found = reader.until(",", depth)
    reader.varint()
    return f"Set {{{', '.join(found)}}}"


def _pairs(found: list[str], between: str) -> str:
    pairs = zip(found[::2], found[1::2], strict=True)
    return ", ".join(f"{key}{between}{value}" for key, value in pairs)


_LEAVES: Mapping[str, Callable[[_Reader], str]] = {
    "I": _signed,
    "U": lambda reader: str(reader.varint()),
    "N": _double,
    "Z": _big,
    "D": _date,
    '"': _text("latin-1"),
    "c": _text("utf-16-le"),
    "S": _text("utf-8"),
    "R": _expression,
    "B": _buffer,
    "^": lambda reader: f"(object {reader.varint()}, seen above)",
}
_NESTED: Mapping[str, Callable[[_Reader, int], str]] = {
    "o": _object,
    "A": _dense,
    "a": _sparse,
    ";": _map,
    "'": _set,
}
