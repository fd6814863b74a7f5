"""Writes bytes aside before their object is known, and reads those of an object."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from selfedge.bindings.r2 import rows, rules
from selfedge.bindings.r2.bodies.digests import Digests
from selfedge.bindings.r2.bodies.lent import Lent
from selfedge.bindings.r2.model import Object, Stream
from selfedge.errors import StorageError
from selfedge.storage.contract import Blobs, Records
from selfedge.storage.pieces import pieces

INLINE_MAX_BYTES = 16 * 1024
"""Objects up to this size stand in a row, larger ones in a blob."""

_SCAN_ROWS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Bytes that are stored, or that are small enough for a row."""

    size: int
    inline: bytes = b""
    blob: str | None = None


class Bodies:
    """All bytes, in `blobs` and in rows of `records`."""

    def __init__(self, records: Records, blobs: Blobs) -> None:
        self._records = records
        self._blobs = blobs
        self._lent = Lent(blobs)

    async def write(
        self,
        value: bytes | AsyncIterator[bytes],
        digests: Digests,
        *,
        inline_max: int = INLINE_MAX_BYTES,
    ) -> Body:
        """Store `value`, which feeds `digests`; no object has it yet.

        Raises:
            R2Error: it is too large; nothing is stored.
            StorageError: the disk is full or failing; nothing is stored.
        """
        joined = pieces(_once(value) if isinstance(value, bytes) else value)
        async with aclosing(joined):
            head = await anext(joined, b"")
            if len(head) <= inline_max:
                digests.feed(head)
                return Body(size=len(head), inline=head)
            blob, size = await self._blobs.write(
                digests.passing(_limited(head, joined))
            )
        return Body(size=size, blob=blob)

    async def drop(self, body: Body) -> None:
        """Remove a body that became no object's."""
        if body.blob is not None:
            await self._blobs.delete(body.blob)

    async def inline(self, found: Object) -> bytes | None:
        """Return the bytes of an object that has no blob; None if it has changed."""
        if found.size == 0:
            return b""
        return await self._records.get(rows.body_row(found.version))

    async def blobs_of(self, found: Object | None) -> Sequence[tuple[str, int]]:
        """Return the blobs of an object, and their sizes."""
        if found is None:
            return ()
        if found.blob is not None:
            return ((found.blob, found.size),)
        if not found.parts:
            return ()
        raw = await self._records.get(rows.body_row(found.version))
        return () if raw is None else rows.decode_blobs(raw)

    async def stream(self, found: Object, start: int, length: int) -> Stream | None:
        """Return bytes of an object that has blobs; None if it has just changed."""
        cuts = _cuts(await self.blobs_of(found), start, start + length)
        if not cuts and length:
            return None
        held = [blob for blob, _, _ in cuts]
        self._lent.take(held)
        chunks = self._read(cuts)
        try:
            first = await anext(chunks, b"")
        except BaseException as error:
            await self._lent.give_back(held)
            if isinstance(error, StorageError):
                return None
            raise

        async def close() -> None:
            await chunks.aclose()
            await self._lent.give_back(held)
            held.clear()  # a second call does nothing

        return Stream(_counted(first, chunks, length), close)

    async def remove(self, blobs: Sequence[tuple[str, int]]) -> None:
        """Remove blobs; who reads them may finish."""
        await self._lent.remove(blob for blob, _ in blobs)

    async def remove_orphans(self) -> None:
        """Remove blobs that a crash left; call it before anything is written.

        Raises:
            StorageError: the disk is failing.
        """
        start, end = rows.MARKS
        used: set[bytes] = set()
        while marks := await self._records.scan(start, end, _SCAN_ROWS):
            used.update(mark for mark, _ in marks)
            start = marks[-1][0] + b"\0"
        for blob in await self._blobs.ids():
            if rows.mark(blob) not in used:
                await self._blobs.delete(blob)

    async def _read(
        self, cuts: Sequence[tuple[str, int, int]]
    ) -> AsyncGenerator[bytes, None]:
        for blob, start, end in cuts:
            async with aclosing(self._blobs.read(blob, start, end)) as chunks:
                async for chunk in chunks:
                    yield chunk


def _cuts(
    blobs: Sequence[tuple[str, int]], start: int, end: int
) -> Sequence[tuple[str, int, int]]:
    """Return (blob, from, to) of those that hold the bytes [start, end)."""
    cuts, at = [], 0
    for blob, size in blobs:
        first, last = max(start - at, 0), min(end - at, size)
        if first < last:
            cuts.append((blob, first, last))
        at += size
    return cuts


async def _once(value: bytes) -> AsyncIterator[bytes]:
    yield value


async def _limited(
    head: bytes, rest: AsyncIterator[bytes]
) -> AsyncGenerator[bytes, None]:
    size = len(head)
    yield head
    async for piece in rest:
        size += len(piece)
        rules.check_size(size)
        yield piece


async def _counted(
    first: bytes, rest: AsyncIterator[bytes], length: int
) -> AsyncGenerator[bytes, None]:
    seen = len(first)
    yield first
    async for chunk in rest:
        seen += len(chunk)
        yield chunk
    if seen != length:
        raise StorageError(
            f"An R2 object has only {seen} of {length} bytes in the state directory. "
            "Put or delete its key to mend it."
        )
