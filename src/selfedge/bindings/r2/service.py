"""What R2 does with objects, whoever asks: a Worker, the control API or a test."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from secrets import token_hex

from selfedge.bindings.r2 import errors, limits, rows, rules
from selfedge.bindings.r2.bodies import Bodies, Body, Digests
from selfedge.bindings.r2.buckets import Buckets
from selfedge.bindings.r2.listing import Usage, listed, usage
from selfedge.bindings.r2.model import (
    NO_OPTIONS,
    Conditions,
    Found,
    ListQuery,
    Object,
    Page,
    PutOptions,
    Range,
)
from selfedge.bindings.r2.multipart import Uploads
from selfedge.bindings.r2.replacing import Replacing
from selfedge.errors import StorageError
from selfedge.storage.contract import Blobs, Records
from selfedge.storage.turns import Turns
from selfedge.types import Clock

_READ_ATTEMPTS = 4


class R2Service:
    """All objects of all buckets: metadata in `records`, large bodies in `blobs`."""

    def __init__(self, *, records: Records, blobs: Blobs, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._turns = Turns()
        self._bodies = Bodies(records, blobs)
        self._replacing = Replacing(records, self._bodies, self._turns)
        self.buckets = Buckets(records, self._turns, clock)
        self.uploads = Uploads(
            records, self._bodies, self._replacing, self._turns, clock
        )

    async def head(self, bucket: str, key: str) -> Object:
        """Return an object without its bytes.

        Raises:
            R2Error: there is none.
            StorageError: the disk is failing.
        """
        row = rows.object_row(bucket, rules.check_key(key))
        found = rows.decode_object(await self._records.get(row))
        if found is None:
            raise errors.NoSuchKey
        return found

    async def get(
        self,
        bucket: str,
        key: str,
        *,
        asked: Range | str | None = None,
        conditions: Conditions | None = None,
    ) -> Found:
        """Return an object and its bytes, or those of a range; close it.

        Raises:
            R2Error: there is none, a condition does not hold, or the range is
                outside.
            StorageError: the disk is failing.
        """
        for _ in range(_READ_ATTEMPTS):
            found = await self.head(bucket, key)
            if not rules.met(conditions, found):
                raise errors.PreconditionFailed(found)
            start, length = rules.span(asked, found.size)
            opened = await self._opened(found, start, length)
            if opened is not None:
                return opened
        raise StorageError(
            f"The bytes of the R2 object {key!r} in bucket {bucket!r} are missing "
            "from the state directory. Put or delete the key to mend it."
        )

    async def put(
        self,
        bucket: str,
        key: str,
        value: bytes | AsyncIterator[bytes],
        options: PutOptions = NO_OPTIONS,
        *,
        size: int | None = None,
    ) -> Object:
        """Store an object; on return it has survived a crash of ours.

        `size` is that of a value whose length is known before.

        Raises:
            R2Error: it is outside the limits, a checksum is another, or a condition
                does not hold; the old object stays.
            StorageError: the disk is full or failing; the old object stays.
        """
        await self.check_put(bucket, key, options, size)
        stored = await self.buckets.ensure(bucket)
        chosen = rules.storage_class(options.storage_class, stored.storage_class)
        digests = Digests(options.digests)
        body = await self._bodies.write(value, digests)
        try:
            if size is not None and body.size != size:
                raise errors.InvalidArgument(
                    f"The body has {body.size} bytes, not {size} as was said."
                )
            new = self._object(key, body, options, chosen, digests)
            await self._replacing.replace(bucket, new, options.conditions, body.inline)
        except (errors.R2Error, StorageError):
            await self._bodies.drop(body)
            raise
        return new

    async def check_put(
        self, bucket: str, key: str, options: PutOptions, size: int | None = None
    ) -> None:
        """Raise what a put would raise before its bytes are there."""
        row = rows.object_row(bucket, rules.check_key(key))
        rules.check_custom(options.custom)
        rules.check_size(size or 0)
        if options.conditions is not None:
            found = rows.decode_object(await self._records.get(row))
            if not rules.met(options.conditions, found):
                raise errors.PreconditionFailed

    async def create_upload(
        self, bucket: str, key: str, options: PutOptions = NO_OPTIONS
    ) -> str:
        """Begin an upload in parts; return its id.

        Raises:
            R2Error: key, metadata or storage class is not what R2 takes.
            StorageError: the disk is full or failing.
        """
        stored = await self.buckets.ensure(bucket)
        chosen = rules.storage_class(options.storage_class, stored.storage_class)
        return await self.uploads.create(bucket, key, options, chosen)

    async def delete(self, bucket: str, keys: Sequence[str]) -> None:
        """Remove objects in one step; absent ones are no error.

        Raises:
            R2Error: too many keys, or one that is none.
            StorageError: the disk is failing; all stay.
        """
        rules.check_delete(len(keys))
        names = sorted({rules.check_key(key) for key in keys})
        turns = [rows.object_row(bucket, key) for key in names]
        async with AsyncExitStack() as stack:
            for row in turns:  # in one order, so that nobody waits in a circle
                await stack.enter_async_context(self._turns.of(row))
            await self._replacing.remove(turns)

    async def list(self, bucket: str, query: ListQuery) -> Page:
        """Return a page of the objects of a bucket.

        Raises:
            R2Error: limit or cursor is wrong.
            StorageError: the disk is failing.
        """
        return await listed(self._records, bucket, query)

    async def delete_bucket(self, bucket: str) -> None:
        """Remove an empty bucket, and the uploads into it.

        Raises:
            R2Error: it is not there, or not empty.
            StorageError: the disk is failing.
        """
        await self.buckets.delete(bucket)
        await self.uploads.abort_all(bucket)

    async def usage(self, bucket: str) -> Usage:
        """Count the objects of a bucket and their bytes."""
        return await usage(self._records, bucket)

    async def remove_orphans(self) -> None:
        """Remove blobs that a crash left; call it before any put."""
        await self._bodies.remove_orphans()

    async def sweep(self) -> None:
        """Abort uploads that nobody completed within a week."""
        await self.uploads.expire(limits.UPLOAD_MAX_S)

    async def _opened(self, found: Object, start: int, length: int) -> Found | None:
        if found.blob is None and not found.parts:
            inline = await self._bodies.inline(found)
            if inline is None:
                return None
            part = inline[start : start + length]
            return Found(object=found, start=start, length=length, inline=part)
        if not length:
            return Found(object=found, start=start, length=0)
        stream = await self._bodies.stream(found, start, length)
        if stream is None:
            return None
        return Found(object=found, start=start, length=length, stream=stream)

    def _object(
        self,
        key: str,
        body: Body,
        options: PutOptions,
        storage_class: str,
        digests: Digests,
    ) -> Object:
        return Object(
            key=key,
            version=token_hex(16),
            size=body.size,
            etag=digests.md5,
            uploaded=int(self._clock() * 1000),
            http=options.http,
            custom=dict(options.custom),
            checksums=digests.verified(options.digests),
            storage_class=storage_class,
            blob=body.blob,
        )
