"""Write-behind to disk: a cache may forget, so nobody waits for it.

Rows of one `Records` map: `i` + number → the slot, `c` + number → the content. Both
are written and deleted together, so a crash leaves an entry whole or not at all.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import islice

import msgspec

from selfedge.bindings.cache.store.entry import Content, Slot
from selfedge.bindings.cache.store.memory import weight
from selfedge.errors import StorageError
from selfedge.storage.contract import Blobs, Records

_PAGE = 1000  # rows read at a time
_BATCH = 64  # entries written at a time
_INDEX, _INDEX_END = b"i", b"j"
_encode = msgspec.msgpack.encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A flush that failed, and the entries that are now in memory only."""

    error: StorageError
    lost: Sequence[Slot]


class Disk:
    """Entries that are, or shall be, in `records` and `blobs`."""

    def __init__(
        self, records: Records, blobs: Blobs, *, inline_max_bytes: int
    ) -> None:
        self._records = records
        self._blobs = blobs
        self._inline_max_bytes = inline_max_bytes
        self._unwritten: dict[int, tuple[Slot, Content]] = {}
        self._writing: dict[int, tuple[Slot, Content]] = {}
        self._deleted: set[int] = set()
        self._doomed: set[str] = set()
        self._readers: Counter[str] = Counter()
        self._lock = asyncio.Lock()
        self.work = asyncio.Event()  # set while there is something to flush
        self.unwritten_bytes = 0

    def keep(self, slot: Slot, content: Content) -> None:
        """Write the entry with the next flush."""
        self._unwritten[slot.number] = (slot, content)
        self.unwritten_bytes += weight(content)
        self.work.set()

    def drop(self, slot: Slot) -> bool:
        """Delete the entry with the next flush; False: it never reached the disk."""
        if slot.blob is not None:
            self._doomed.add(slot.blob)
            self.work.set()
        unwritten = self._unwritten.pop(slot.number, None)
        if unwritten is not None:
            self.unwritten_bytes -= weight(unwritten[1])
            return False
        self._writing.pop(slot.number, None)
        self._deleted.add(slot.number)
        self.work.set()
        return True

    async def read(self, slot: Slot) -> Content | None:
        """Return the content of `slot`, or None when it cannot be had."""
        waiting = self._unwritten.get(slot.number) or self._writing.get(slot.number)
        if waiting is not None:
            return waiting[1]
        try:
            row = await self._records.get(_content_key(slot.number))
            return None if row is None else _decode_content(row)
        except (StorageError, msgspec.MsgspecError):
            return None

    async def body(
        self, blob: str, start: int, end: int
    ) -> AsyncGenerator[bytes, None]:
        """Yield the bytes [`start`, `end`) of `blob`, which stays as long.

        Raises:
            StorageError: the blob is gone or cannot be read.
        """
        self._readers[blob] += 1
        try:
            async for chunk in self._blobs.read(blob, start, end):
                start += len(chunk)
                yield chunk
            if start < end:
                raise StorageError(f"blob {blob} ends {end - start} bytes too early")
        finally:
            self._readers[blob] -= 1
            if not self._readers[blob]:
                del self._readers[blob]
                if blob in self._doomed:
                    self.work.set()

    async def store_body(self, chunks: AsyncIterator[bytes]) -> tuple[str, int]:
        """Write a large body at once; return its blob and size.

        Raises:
            StorageError: the disk is full or failing.
        """
        return await self._blobs.write(chunks)

    def abandon(self, blob: str) -> None:
        """Remove a body that no entry came to own."""
        self._doomed.add(blob)
        self.work.set()

    async def flush(self) -> Failure | None:
        """Bring the disk up to date with what was kept and dropped before."""
        async with self._lock:
            self.work.clear()
            self._writing, self._unwritten = self._unwritten, {}
            self.unwritten_bytes = 0
            try:
                await self._write_entries()
                await self._delete_blobs()
            except StorageError as error:
                lost = [slot for slot, _ in self._writing.values()]
                return Failure(error=error, lost=lost)
            finally:
                self._writing = {}
        return None

    async def _write_entries(self) -> None:
        numbers = tuple(self._writing)
        for start in range(0, len(numbers), _BATCH):
            batch = numbers[start : start + _BATCH]
            puts = [row for number in batch for row in await self._rows(number)]
            await self._commit(puts)
            for number in batch:
                self._writing.pop(number, None)
            await asyncio.sleep(0)  # requests come first
        while self._deleted:
            await self._commit([])
            await asyncio.sleep(0)

    async def _commit(self, puts: Sequence[tuple[bytes, bytes]]) -> None:
        deleted = tuple(islice(self._deleted, _BATCH))
        keys = [key for number in deleted for key in _keys(number)]
        await self._records.write(puts, keys)
        self._deleted.difference_update(deleted)

    async def _rows(self, number: int) -> Sequence[tuple[bytes, bytes]]:
        entry = self._writing.get(number)
        if entry is None:  # dropped meanwhile
            return ()
        slot, content = entry
        if len(content.body) > self._inline_max_bytes:
            blob, _ = await self._blobs.write(_once(content.body))
            if number not in self._writing:
                self.abandon(blob)
                return ()
            slot.blob = blob
            content = msgspec.structs.replace(content, body=b"")
        index_key, content_key = _keys(number)
        return (index_key, _encode(slot)), (content_key, _encode(content))

    async def _delete_blobs(self) -> None:
        for blob in tuple(self._doomed):
            if blob not in self._readers:
                self._doomed.discard(blob)
                await self._blobs.delete(blob)

    async def load(self) -> Sequence[Slot]:
        """Return the entries on disk, oldest first; remove what belongs to none.

        Raises:
            StorageError: the disk cannot be read.
        """
        blobs = frozenset(await self._blobs.ids())
        slots: list[Slot] = []
        start = _INDEX
        while rows := await self._records.scan(start, _INDEX_END, _PAGE):
            for key, value in rows:
                slot = _decode_slot(value)
                if slot is None or (slot.blob is not None and slot.blob not in blobs):
                    self._deleted.add(int.from_bytes(key[1:], "big"))
                else:
                    slots.append(slot)
            start = rows[-1][0] + b"\0"
        self._doomed |= blobs - {slot.blob for slot in slots if slot.blob is not None}
        if self._doomed or self._deleted:
            self.work.set()
        return slots


def _decode_slot(row: bytes) -> Slot | None:
    try:
        return msgspec.msgpack.decode(row, type=Slot)
    except msgspec.MsgspecError:
        return None


def _decode_content(row: bytes) -> Content:
    return msgspec.msgpack.decode(row, type=Content)


def _content_key(number: int) -> bytes:
    return b"c" + number.to_bytes(8, "big")


def _keys(number: int) -> tuple[bytes, bytes]:
    suffix = number.to_bytes(8, "big")
    return b"i" + suffix, b"c" + suffix


async def _once(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk
