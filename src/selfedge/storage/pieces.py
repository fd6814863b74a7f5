"""Bytes come as a network cuts them; a thread wants more of them at once."""

from collections.abc import AsyncGenerator, AsyncIterator

PIECE_BYTES = 256 * 1024


async def pieces(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Join `chunks` to pieces of 256 KiB or more; the last may be smaller."""
    held: list[bytes] = []
    size = 0
    async for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= PIECE_BYTES:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
