"""Messages between the service and its model host: length, then MessagePack."""

import asyncio
from typing import TypeAlias

import msgspec

from selfedge.bindings.ai.jobs import Job, Part
from selfedge.bindings.ai.runners.contract import Source

_LENGTH_BYTES = 4


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """Run `job` on the model at `source`.

    A connection carries one call after another; its caller cancels by closing it.
    """

    runner: str
    source: Source
    job: Job


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """The call ended with an `AiError`."""

    internal_code: int
    text: str


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The call ended; all its parts were sent."""


class Told(msgspec.Struct, frozen=True, tag="told"):
    """A line for the user: a model is being loaded."""

    text: str


Reply: TypeAlias = Part | Told | Failed | Done

_ENCODER = msgspec.msgpack.Encoder()
_CALL = msgspec.msgpack.Decoder(Call)
_REPLY: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def pack(message: Call | Reply) -> bytes:
    """Return `message` as it goes over the socket."""
    payload = _ENCODER.encode(message)
    return len(payload).to_bytes(_LENGTH_BYTES) + payload


class Received:
    """What came over a connection and was not taken yet."""

    def __init__(self) -> None:
        self._data = bytearray()

    def add(self, data: bytes) -> None:
        """Take in what has just come."""
        self._data += data

    def call(self) -> Call | None:
        """Return the next call, once all of it is here."""
        end = _LENGTH_BYTES + int.from_bytes(self._data[:_LENGTH_BYTES])
        if len(self._data) < max(end, _LENGTH_BYTES + 1):
            return None
        call = _CALL.decode(memoryview(self._data)[_LENGTH_BYTES:end])
        self._data = self._data[end:]
        return call


async def read_reply(stream: asyncio.StreamReader) -> Reply:
    """Return the next reply.

    Raises:
        asyncio.IncompleteReadError: the host closed the connection, or died.
    """
    return _REPLY.decode(await _payload(stream))


async def _payload(stream: asyncio.StreamReader) -> bytes:
    size = int.from_bytes(await stream.readexactly(_LENGTH_BYTES))
    return await stream.readexactly(size)
