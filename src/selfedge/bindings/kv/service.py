"""What KV does, whoever asks: a Worker, the control API or a test."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from selfedge.bindings.kv import errors, limits, rows, rules
from selfedge.bindings.kv.model import (
    NO_OPTIONS,
    ListedKey,
    Page,
    PutOptions,
    Value,
)
from selfedge.bindings.kv.rows import Entry
from selfedge.errors import StorageError
from selfedge.storage.contract import Blobs, Records
from selfedge.storage.turns import Turns
from selfedge.types import Clock

INLINE_MAX_BYTES = 16 * 1024
"""Values up to this size stand in their entry's row, larger ones in a blob."""

_SCAN_ROWS = 256
_READ_ATTEMPTS = 4


class KVService:
    """All namespaces, kept in `records`; large values in `blobs`."""

    def __init__(self, *, records: Records, blobs: Blobs, clock: Clock) -> None:
        self._records = records
        self._blobs = blobs
        self._clock = clock
        self._turns = Turns()

    async def get(
        self, namespace: str, key: str, *, cache_ttl: int | None = None
    ) -> Value | None:
        """Return the value and metadata under `key`; None when absent or expired.

        Raises:
            KVError: the key or `cache_ttl` is outside the limits.
            StorageError: the disk is failing.
        """
        rules.check_cache_ttl(cache_ttl)
        row = rows.namespace_rows(namespace) + rules.key_bytes(key)
        for _ in range(_READ_ATTEMPTS):
            entry = await self._live(row)
            if entry is None:
                return None
            if entry.blob is None:
                return _value(entry, None)
            chunks = await self._opened(entry.blob, entry.size)
            if chunks is not None:
                return _value(entry, chunks)
        raise StorageError(
            f"The value of the KV key {key!r} in namespace {namespace!r} is missing "
            "from the state directory. Put or delete the key to mend it."
        )

    async def bulk_get(
        self, namespace: str, keys: Sequence[str], *, cache_ttl: int | None = None
    ) -> dict[str, tuple[bytes, str | None] | None]:
        """Return value and metadata of each of `keys`, in their order.

        Raises:
            KVError: too many keys, or 25 MiB of values.
            StorageError: the disk is failing.
        """
        rules.check_bulk(len(keys))
        found: dict[str, tuple[bytes, str | None] | None] = {}
        size = 0
        for key in keys:
            value = await self.get(namespace, key, cache_ttl=cache_ttl)
            if value is None:
                found[key] = None
                continue
            async with aclosing(value):
                size += value.size
                if size > limits.BULK_MAX_BYTES:
                    raise errors.BulkTooLarge
                found[key] = await value.read(), value.metadata
        return found

    async def put(
        self,
        namespace: str,
        key: str,
        value: bytes | AsyncIterator[bytes],
        options: PutOptions = NO_OPTIONS,
    ) -> None:
        """Store `value` under `key`; on return it has survived a crash of ours.

        Raises:
            KVError: key, value or options are outside the limits.
            StorageError: the disk is full or failing; the old value stays.
        """
        row = rows.namespace_rows(namespace) + rules.key_bytes(key)
        rules.check_metadata(options.metadata)
        expiration = rules.expiration(options, int(self._clock()))
        inline, blob, size = await self._stored(value)
        entry = Entry(size, inline, blob, options.metadata, expiration)
        try:
            await self._replace(row, entry)
        except StorageError:
            if blob is not None:
                await self._blobs.delete(blob)
            raise

    async def delete(self, namespace: str, key: str) -> None:
        """Remove `key`; an absent one is no error.

        Raises:
            KVError: the key is outside the limits.
            StorageError: the disk is failing.
        """
        await self._replace(rows.namespace_rows(namespace) + rules.key_bytes(key), None)

    async def list(
        self,
        namespace: str,
        *,
        prefix: str = "",
        limit: int = limits.LIST_MAX_KEYS,
        cursor: str | None = None,
    ) -> Page:
        """Return at most `limit` keys that begin with `prefix`, in order of UTF-8.

        Raises:
            KVError: limit, prefix or cursor is wrong.
            StorageError: the disk is failing.
        """
        rules.check_limit(limit)
        base = rows.namespace_rows(namespace)
        prefix_rows = base + rules.prefix_bytes(prefix)
        after = base + rules.cursor_key(cursor) + b"\0" if cursor else b""
        start, end = max(prefix_rows, after), rows.end_of(prefix_rows)
        keys: list[ListedKey] = []
        async with aclosing(self._live_entries(start, end, limit + 1)) as entries:
            async for row, entry in entries:
                if len(keys) == limit:
                    return Page(keys, rules.cursor(keys[-1].name))
                name = row[len(base) :].decode()
                keys.append(ListedKey(name, entry.expiration, entry.metadata))
        return Page(keys, None)

    async def clear(self, namespace: str) -> None:
        """Remove all keys of `namespace`.

        Raises:
            StorageError: the disk is failing; some keys may be left.
        """
        start = rows.namespace_rows(namespace)
        end = rows.end_of(start)
        while pairs := await self._records.scan(start, end, _SCAN_ROWS):
            await asyncio.gather(*(self._replace(row, None) for row, _ in pairs))
            start = pairs[-1][0]

    async def filled(self) -> Sequence[str]:
        """Return the namespaces that have keys.

        Raises:
            StorageError: the disk is failing.
        """
        found: list[str] = []
        start, end = rows.ENTRIES
        while pairs := await self._records.scan(start, end, 1):
            found.append(rows.namespace_of(pairs[0][0]))
            start = rows.end_of(rows.namespace_rows(found[-1]))
        return found

    async def sweep(self) -> None:
        """Remove from disk what has expired.

        Raises:
            StorageError: the disk is failing.
        """
        start, end = rows.expired_marks(self._clock())
        while marks := await self._records.scan(start, end, _SCAN_ROWS):
            outcomes = await asyncio.gather(  # together, to share commits
                *(self._expire(mark) for mark, _ in marks), return_exceptions=True
            )
            for outcome in outcomes:
                if outcome is not None:
                    raise outcome

    async def remove_orphans(self) -> None:
        """Remove blobs that a crash left between their write and their entry's.

        Call it before any put.

        Raises:
            StorageError: the disk is failing.
        """
        start, end = rows.BLOB_MARKS
        used: set[bytes] = set()
        while marks := await self._records.scan(start, end, _SCAN_ROWS):
            used.update(mark for mark, _ in marks)
            start = marks[-1][0] + b"\0"
        for blob in await self._blobs.ids():
            if rows.blob_mark(blob) not in used:
                await self._blobs.delete(blob)

    async def _live(self, row: bytes) -> Entry | None:
        raw = await self._records.get(row)
        if raw is None:
            return None
        entry = rows.decode(raw)
        return entry if _is_live(entry, self._clock) else None

    async def _live_entries(
        self, start: bytes, end: bytes, wanted: int
    ) -> AsyncGenerator[tuple[bytes, Entry], None]:
        now = self._clock()
        while pairs := await self._records.scan(start, end, min(wanted, _SCAN_ROWS)):
            for row, raw in pairs:
                entry = rows.decode(raw)
                if entry.expiration is None or entry.expiration > now:
                    yield row, entry
            start = pairs[-1][0] + b"\0"

    async def _opened(self, blob: str, size: int) -> AsyncGenerator[bytes, None] | None:
        """Return the bytes of `blob`; None when a put has just replaced it."""
        chunks = self._blobs.read(blob)
        try:
            first = await anext(chunks, b"")
        except StorageError:
            return None
        return _whole(first, chunks, size)

    async def _stored(
        self, value: bytes | AsyncIterator[bytes]
    ) -> tuple[bytes, str | None, int]:
        """Return the value for its row, or the blob that it now is; and its size."""
        if isinstance(value, bytes):
            if len(value) <= INLINE_MAX_BYTES:
                return value, None, len(value)
            value = _once(value)
        head = b""
        async for chunk in value:
            head += chunk
            if len(head) > INLINE_MAX_BYTES:
                blob, size = await self._blobs.write(_limited(_joined(head, value)))
                return b"", blob, size
        return head, None, len(head)

    async def _replace(self, row: bytes, entry: Entry | None) -> None:
        """Make `entry` the one of `row`, and remove all of what stood there."""
        async with self._turns.of(row):
            raw = await self._records.get(row)
            old = rows.decode(raw) if raw is not None else None
            await self._write(row, old, entry)
        if old is not None and old.blob is not None:
            await self._blobs.delete(old.blob)

    async def _write(self, row: bytes, old: Entry | None, new: Entry | None) -> None:
        gone = rows.marks(row, old) if old else frozenset()
        if new is None:
            if old is not None:
                await self._records.write(deletes=(row, *gone))
            return
        marks = rows.marks(row, new)
        puts = [(row, rows.encode(new)), *((mark, b"") for mark in marks)]
        await self._records.write(puts, gone - marks)

    async def _expire(self, mark: bytes) -> None:
        row = rows.marked_row(mark)
        async with self._turns.of(row):
            raw = await self._records.get(row)
            entry = rows.decode(raw) if raw is not None else None
            if entry is None or mark not in rows.marks(row, entry):
                await self._records.write(deletes=[mark])
                return
            await self._write(row, entry, None)
        if entry.blob is not None:
            await self._blobs.delete(entry.blob)


def _value(entry: Entry, chunks: AsyncGenerator[bytes, None] | None) -> Value:
    return Value(entry.size, entry.metadata, entry.inline, chunks, entry.expiration)


def _is_live(entry: Entry, clock: Clock) -> bool:
    return entry.expiration is None or entry.expiration > clock()


async def _once(value: bytes) -> AsyncIterator[bytes]:
    yield value


async def _joined(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for chunk in rest:
        yield chunk


async def _whole(
    first: bytes, rest: AsyncGenerator[bytes, None], size: int
) -> AsyncGenerator[bytes, None]:
    seen = len(first)
    async with aclosing(rest):
        yield first
        async for chunk in rest:
            seen += len(chunk)
            yield chunk
    if seen != size:
        raise StorageError(
            f"A KV value of {size} bytes has only {seen} in the state directory. "
            "Put or delete its key to mend it."
        )


async def _limited(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        rules.check_size(size)
        yield chunk
