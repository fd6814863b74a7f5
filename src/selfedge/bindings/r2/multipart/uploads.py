"""Uploads from their first part to the object that they become."""

from collections.abc import AsyncIterator, Mapping, Sequence
from secrets import token_hex, token_urlsafe

from selfedge.bindings.r2 import errors, limits, rows, rules
from selfedge.bindings.r2.bodies import Bodies, Body, Digests
from selfedge.bindings.r2.model import Object, Part, PutOptions
from selfedge.bindings.r2.multipart import joining
from selfedge.bindings.r2.replacing import Replacing
from selfedge.bindings.r2.rows import PartEntry, Upload
from selfedge.errors import StorageError
from selfedge.storage.contract import Records
from selfedge.storage.turns import Turns
from selfedge.types import Clock

_SCAN_ROWS = 512
_ID_BYTES = 48


class Uploads:
    """All uploads in parts; each part is a blob from the start."""

    def __init__(
        self,
        records: Records,
        bodies: Bodies,
        replacing: Replacing,
        turns: Turns,
        clock: Clock,
    ) -> None:
        self._records = records
        self._bodies = bodies
        self._replacing = replacing
        self._turns = turns
        self._clock = clock

    async def create(
        self, bucket: str, key: str, options: PutOptions, storage_class: str
    ) -> str:
        """Begin an upload; return its id.

        Raises:
            R2Error: key or metadata is not what R2 takes.
            StorageError: the disk is full or failing.
        """
        rules.check_key(key)
        rules.check_custom(options.custom)
        upload = token_urlsafe(_ID_BYTES)
        entry = Upload(
            key,
            int(self._clock() * 1000),
            options.http,
            dict(options.custom),
            storage_class,
        )
        row = rows.upload_row(bucket, upload)
        await self._records.write([(row, rows.encode(entry))])
        return upload

    async def check_part(
        self, bucket: str, key: str, upload: str, number: int, size: int | None
    ) -> None:
        """Raise what `part` would raise before its bytes are there."""
        rules.check_key(key)
        rules.check_size(size or 0)
        if not 1 <= number <= limits.PARTS_MAX:
            raise errors.InvalidArgument(
                f"Part numbers are from 1 to {limits.PARTS_MAX}, not {number}."
            )
        await self._open(rows.upload_row(bucket, upload), key)

    async def part(
        self,
        bucket: str,
        key: str,
        upload: str,
        number: int,
        value: bytes | AsyncIterator[bytes],
        *,
        size: int | None = None,
    ) -> str:
        """Store a part, instead of an earlier one of its number; return its etag.

        Raises:
            R2Error: there is no such upload, or the part is outside the limits.
            StorageError: the disk is full or failing.
        """
        await self.check_part(bucket, key, upload, number, size)
        digests = Digests()
        body = await self._bodies.write(value, digests, inline_max=0)
        try:
            if size is not None and body.size != size:
                raise errors.InvalidArgument(
                    f"The part has {body.size} bytes, not {size} as was said."
                )
            await self._keep(
                rows.upload_row(bucket, upload), key, number, body, digests
            )
        except (errors.R2Error, StorageError):
            await self._bodies.drop(body)
            raise
        return digests.md5

    async def complete(
        self, bucket: str, key: str, upload: str, named: Sequence[Part]
    ) -> Object:
        """Make the parts that are named an object; the others are removed.

        Raises:
            R2Error: there is no such upload, or the parts break R2's rules.
            StorageError: the disk is full or failing; the upload stays.
        """
        row = rows.upload_row(bucket, upload)
        async with self._turns.of(row):
            entry = await self._open(row, key)
            uploaded = await self._parts(row)
            parts = joining.chosen(named, uploaded)
            new = self._object(entry, parts)
            kept = [(part.blob, part.size) for part in parts if part.blob]
            names = {blob for blob, _ in kept}
            spare = [
                (part.blob, part.size)
                for part in uploaded.values()
                if part.blob and part.blob not in names
            ]
            await self._replacing.replace(
                bucket,
                new,
                None,
                rows.encode_blobs(kept),
                puts=[_over(row, entry)],
                deletes=[
                    *(rows.part_row(row, number) for number in uploaded),
                    *(rows.mark(blob) for blob, _ in spare),
                ],
            )
        await self._bodies.remove(spare)
        return new

    async def abort(self, bucket: str, key: str, upload: str) -> None:
        """Remove an upload and its parts; one that is over stays so.

        Raises:
            NoSuchUpload: it never was.
            StorageError: the disk is failing.
        """
        rules.check_key(key)
        row = rows.upload_row(bucket, upload)
        async with self._turns.of(row):
            raw = await self._records.get(row)
            if raw is None or (entry := rows.decode(raw, Upload)).key != key:
                raise errors.NoSuchUpload
            if not entry.over:
                await self._drop(row, [_over(row, entry)], [])

    async def abort_all(self, bucket: str) -> None:
        """Remove all uploads into a bucket."""
        start = rows.uploads(bucket)
        async for row, _ in self._walk(start, rows.end_of(start)):
            async with self._turns.of(row):
                await self._drop(row, [], [row])

    async def expire(self, after_s: int) -> None:
        """Remove uploads that began longer ago than `after_s`."""
        bound = (self._clock() - after_s) * 1000
        async for row, entry in self._walk(*rows.UPLOADS):
            if entry.created < bound:
                async with self._turns.of(row):
                    await self._drop(row, [], [row])

    async def _open(self, row: bytes, key: str) -> Upload:
        raw = await self._records.get(row)
        if raw is None:
            raise errors.NoSuchUpload
        entry = rows.decode(raw, Upload)
        if entry.key != key or entry.over:
            raise errors.NoSuchUpload
        return entry

    async def _keep(
        self, row: bytes, key: str, number: int, body: Body, digests: Digests
    ) -> None:
        part = rows.part_row(row, number)
        entry = PartEntry(digests.md5, digests.md5, body.size, body.blob or "")
        puts = [(part, rows.encode(entry))]
        if body.blob is not None:
            puts.append((rows.mark(body.blob), b""))
        async with self._turns.of(row):
            await self._open(row, key)
            raw = await self._records.get(part)
            blob = rows.decode(raw, PartEntry).blob if raw is not None else ""
            await self._records.write(puts, [rows.mark(blob)] if blob else [])
        if blob:
            await self._bodies.remove([(blob, 0)])

    async def _drop(
        self,
        row: bytes,
        puts: Sequence[tuple[bytes, bytes]],
        deletes: Sequence[bytes],
    ) -> None:
        uploaded = await self._parts(row)
        blobs = [(part.blob, part.size) for part in uploaded.values() if part.blob]
        gone = [rows.part_row(row, number) for number in uploaded]
        marks = [rows.mark(blob) for blob, _ in blobs]
        await self._records.write(puts, [*deletes, *gone, *marks])
        await self._bodies.remove(blobs)

    async def _parts(self, row: bytes) -> Mapping[int, PartEntry]:
        start = rows.parts_of(row)
        end = rows.end_of(start)
        found: dict[int, PartEntry] = {}
        while pairs := await self._records.scan(start, end, _SCAN_ROWS):
            for part, raw in pairs:
                found[rows.part_number(part)] = rows.decode(raw, PartEntry)
            start = pairs[-1][0] + b"\0"
        return found

    async def _walk(
        self, start: bytes, end: bytes
    ) -> AsyncIterator[tuple[bytes, Upload]]:
        while pairs := await self._records.scan(start, end, _SCAN_ROWS):
            for row, raw in pairs:
                yield row, rows.decode(raw, Upload)
            start = pairs[-1][0] + b"\0"

    def _object(self, entry: Upload, parts: Sequence[PartEntry]) -> Object:
        return Object(
            key=entry.key,
            version=token_hex(16),
            size=sum(part.size for part in parts),
            etag=joining.etag(parts),
            uploaded=int(self._clock() * 1000),
            http=entry.http,
            custom=entry.custom,
            storage_class=entry.storage_class,
            parts=len(parts),
        )


def _over(row: bytes, entry: Upload) -> tuple[bytes, bytes]:
    over = Upload(
        entry.key, entry.created, entry.http, {}, entry.storage_class, over=True
    )
    return row, rows.encode(over)
