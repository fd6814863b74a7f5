"""Hands an event to a Worker over its dispatcher's socket, and waits for its end."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from selfedge.errors import EngineError

EVENT_MAX_S = 15 * 60.0  # what a batch or a schedule may take
BEGIN_MAX_S = 60.0  # what a process may take until it takes an event


class NotBegun(EngineError):
    """No process took the event: there is none, or it does not start."""


class Interrupted(EngineError):
    """The event began, and its process ended before it, or it took too long."""


def frame(head: Mapping[str, object], bodies: Sequence[bytes] = ()) -> bytes:
    """Return an event as the dispatcher reads it."""
    raw = msgspec.json.encode(head)
    return b"".join((len(raw).to_bytes(4, "little"), raw, *bodies))


async def hand(socket: Path, event: bytes) -> Mapping[str, Any]:
    """Have the Worker handle `event`; return the outcome that the engine tells.

    Raises:
        NotBegun: nothing has happened; it may be tried again.
        Interrupted: the event may have had effects.
    """
    try:
        async with asyncio.timeout(BEGIN_MAX_S):
            reader, writer = await asyncio.open_unix_connection(socket)
    except (OSError, TimeoutError) as error:
        raise NotBegun(f"no process takes events at {socket.name}: {error}") from error
    try:
        await _begun(reader, writer, event)
        return await _outcome(reader)
    finally:
        writer.close()


async def _begun(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, event: bytes
) -> None:
    head = f"POST / HTTP/1.1\r\nHost: events\r\nContent-Length: {len(event)}\r\n\r\n"
    try:
        async with asyncio.timeout(BEGIN_MAX_S):
            writer.write(head.encode() + event)
            await writer.drain()
            await reader.readuntil(b"\r\n\r\n")
            await _chunk(reader)
    except (OSError, EOFError, TimeoutError, ValueError) as error:
        raise NotBegun(f"the event was not taken: {error}") from error


async def _outcome(reader: asyncio.StreamReader) -> Mapping[str, Any]:
    parts = bytearray()
    try:
        async with asyncio.timeout(EVENT_MAX_S):
            while part := await _chunk(reader):
                parts += part
        found = msgspec.json.decode(bytes(parts))
    except TimeoutError as error:
        raise Interrupted(f"it took over {EVENT_MAX_S / 60:g} minutes") from error
    except (OSError, EOFError, ValueError) as error:
        raise Interrupted("its process ended before it") from error
    if not isinstance(found, dict):
        raise Interrupted("it ended without an outcome")
    return found


async def _chunk(reader: asyncio.StreamReader) -> bytes:
    """Return the next part of a chunked body; empty at its end."""
    size = int(await reader.readuntil(b"\r\n"), 16)
    return (await reader.readexactly(size + 2))[:-2]
