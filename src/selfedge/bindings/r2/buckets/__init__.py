"""Buckets: what there is, beside those that a Worker is bound to."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from selfedge.bindings.r2 import errors, rows, rules
from selfedge.bindings.r2.model import STANDARD
from selfedge.bindings.r2.rows import BucketEntry
from selfedge.storage.contract import Records
from selfedge.storage.turns import Turns
from selfedge.types import Clock

HERE = "WEUR"
"""What is told as a bucket's location: R2 always tells one."""

_SCAN_ROWS = 256


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket; `name` is "eu/photos" where its jurisdiction is another."""

    name: str
    created: int  # milliseconds
    storage_class: str
    location: str


class Buckets:
    """All buckets. One that a Worker is bound to is made when it is first used."""

    def __init__(self, records: Records, turns: Turns, clock: Clock) -> None:
        self._records = records
        self._turns = turns
        self._clock = clock
        self._bound: set[str] = set()

    def bound(self, names: Iterable[str]) -> None:
        """Count `names`, which Workers are bound to, among the buckets there are."""
        self._bound.update(names)

    async def create(
        self, name: str, *, storage_class: str = STANDARD, location: str = HERE
    ) -> Bucket:
        """Make a bucket.

        Raises:
            R2Error: the name is none, or taken; there is no such storage class.
            StorageError: the disk is full or failing.
        """
        rules.check_bucket_name(name.rpartition("/")[2])
        storage_class = rules.storage_class(storage_class, STANDARD)
        async with self._turns.of(rows.bucket_row(name)):
            if await self._records.get(rows.bucket_row(name)) is not None:
                raise errors.BucketExists
            return await self._write(name, storage_class, location)

    async def find(self, name: str) -> Bucket:
        """Return the bucket `name`.

        Raises:
            NoSuchBucket: there is none, and no Worker is bound to it.
        """
        raw = await self._records.get(rows.bucket_row(name))
        if raw is not None:
            return _bucket(name, raw)
        if name not in self._bound:
            raise errors.NoSuchBucket
        return await self.ensure(name)

    async def ensure(self, name: str) -> Bucket:
        """Return the bucket `name`, made when absent."""
        row = rows.bucket_row(name)
        raw = await self._records.get(row)
        if raw is not None:
            return _bucket(name, raw)
        async with self._turns.of(row):
            raw = await self._records.get(row)
            if raw is not None:
                return _bucket(name, raw)
            return await self._write(name, STANDARD, HERE)

    async def update(self, name: str, storage_class: str) -> Bucket:
        """Give new objects of a bucket another storage class."""
        found = await self.find(name)
        chosen = rules.storage_class(storage_class, found.storage_class)
        entry = BucketEntry(found.created, chosen, found.location)
        await self._records.write([(rows.bucket_row(name), rows.encode(entry))])
        return Bucket(name, found.created, chosen, found.location)

    async def all(self) -> Sequence[Bucket]:
        """Return all buckets in order of their names."""
        for name in self._bound:
            await self.ensure(name)
        return [one async for one in self._stored()]

    async def delete(self, name: str) -> None:
        """Remove an empty bucket.

        Raises:
            R2Error: it is not there, or not empty.
            StorageError: the disk is failing.
        """
        await self.find(name)
        start = rows.objects(name)
        if await self._records.scan(start, rows.end_of(start), 1):
            raise errors.BucketNotEmpty
        await self._records.write(deletes=[rows.bucket_row(name)])

    async def _write(self, name: str, storage_class: str, location: str) -> Bucket:
        created = int(self._clock() * 1000)
        entry = BucketEntry(created, storage_class, location)
        await self._records.write([(rows.bucket_row(name), rows.encode(entry))])
        return Bucket(name, created, storage_class, location)

    async def _stored(self) -> AsyncIterator[Bucket]:
        start, end = rows.BUCKETS
        while pairs := await self._records.scan(start, end, _SCAN_ROWS):
            for row, raw in pairs:
                yield _bucket(rows.bucket_of(row), raw)
            start = pairs[-1][0] + b"\0"


def _bucket(name: str, raw: bytes) -> Bucket:
    entry = rows.decode(raw, BucketEntry)
    return Bucket(name, entry.created, entry.storage_class, entry.location)
