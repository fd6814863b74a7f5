"""Messages between a shard's process and its parent: length, then MessagePack."""

import socket
from array import array
from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

import msgspec

from selfedge.bindings.vectorize.engine.contract import (
    Condition,
    FieldType,
    Hit,
    Metric,
    Search,
    Vector,
    floats,
)

_LENGTH_BYTES = 4
_READ_MAX_BYTES = 1 << 20


class _Frame(msgspec.Struct, tag=True, array_like=True):
    pass


class Packed(msgspec.Struct, frozen=True, array_like=True):
    """A vector; values are 32-bit floats in the machine's byte order."""

    id: str
    values: bytes
    namespace: str | None
    metadata: bytes | None
    fields: Mapping[str, str | float | bool]
    length: float | None = None


class Open(_Frame):
    """Make or load the shard of this process; the first call."""

    folder: str
    dimensions: int
    metric: Metric
    make: bool


class Insert(_Frame):
    """Add those whose ids are absent."""

    vectors: list[Packed]


class Upsert(_Frame):
    """Add or replace."""

    vectors: list[Packed]


class Delete(_Frame):
    """Remove."""

    ids: Sequence[str]


class Get(_Frame):
    """Return by id."""

    ids: Sequence[str]


class Sought(msgspec.Struct, frozen=True, array_like=True):
    """A search; `values` are packed."""

    values: bytes
    limit: int
    namespace: str | None
    conditions: Sequence[Condition]
    exact: bool
    with_values: bool


class Find(_Frame):
    """Search."""

    searches: list[Sought]


class GetPage(_Frame):
    """Return a page of all vectors."""

    start: str | None
    limit: int
    whole: bool


class AddField(_Frame):
    """Make a field quick to filter on."""

    field: str
    kind: FieldType


class DropField(_Frame):
    """Undo it."""

    field: str


class Simple(_Frame):
    """One of the calls without arguments."""

    call: str  # "count", "unsorted", "optimize", "close"


class Done(_Frame):
    """It is done; some calls return a number."""

    number: int = 0


class Failed(_Frame):
    """An EngineFailure."""

    text: str
    passing: bool = False


class Vectors(_Frame):
    """Vectors, and where the next page begins."""

    vectors: list[Packed]
    following: str | None = None


class Hits(_Frame):
    """What each search found."""

    found: list[list[tuple[Packed, float]]]


Ask: TypeAlias = (
    Open
    | Insert
    | Upsert
    | Delete
    | Get
    | Find
    | GetPage
    | AddField
    | DropField
    | Simple
)
Reply: TypeAlias = Done | Failed | Vectors | Hits

_ENCODER = msgspec.msgpack.Encoder()
ASK: msgspec.msgpack.Decoder[Ask] = msgspec.msgpack.Decoder(Ask)
REPLY: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def send(sock: socket.socket, message: Ask | Reply) -> None:
    """Send one message.

    Raises:
        OSError: the other side is gone.
    """
    content = _ENCODER.encode(message)
    sock.sendall(len(content).to_bytes(_LENGTH_BYTES) + content)


def receive(sock: socket.socket) -> bytes:
    """Return one message, to be decoded.

    Raises:
        OSError: the other side is gone.
    """
    return _exactly(sock, int.from_bytes(_exactly(sock, _LENGTH_BYTES)))


def packed(vector: Vector) -> Packed:
    """Pack one vector."""
    return Packed(
        vector.id,
        floats(vector.values).tobytes(),
        vector.namespace,
        vector.metadata,
        vector.fields,
        vector.length,
    )


def unpacked(vector: Packed) -> Vector:
    """Undo `packed`."""
    return _vector(vector, listed(vector.values))


def written(vector: Packed) -> Vector:
    """Undo `packed` for the engine, which takes the values where they lie."""
    return _vector(vector, cast("Sequence[float]", memoryview(vector.values).cast("f")))


def listed(values: bytes) -> Sequence[float]:
    """Read 32-bit floats; none are an empty tuple."""
    return array("f", values).tolist() if values else ()


def sought(search: Search) -> Sought:
    """Pack a search."""
    return Sought(
        floats(search.values).tobytes(),
        search.limit,
        search.namespace,
        search.conditions,
        search.exact,
        search.with_values,
    )


def search(asked: Sought) -> Search:
    """Undo `sought`."""
    return Search(
        values=listed(asked.values),
        limit=asked.limit,
        namespace=asked.namespace,
        conditions=asked.conditions,
        exact=asked.exact,
        with_values=asked.with_values,
    )


def hits(found: Sequence[Sequence[Hit]]) -> Hits:
    """Pack what was found."""
    return Hits([[(packed(hit.vector), hit.score) for hit in one] for one in found])


def _vector(packed: Packed, values: Sequence[float]) -> Vector:
    return Vector(
        packed.id,
        values,
        packed.namespace,
        packed.metadata,
        packed.fields,
        packed.length,
    )


def _exactly(sock: socket.socket, size: int) -> bytes:
    received = bytearray(size)
    view = memoryview(received)
    start = 0
    while start < size:
        count = sock.recv_into(view[start : start + _READ_MAX_BYTES])
        if not count:
            raise ConnectionResetError("the other side closed the connection")
        start += count
    return bytes(received)
