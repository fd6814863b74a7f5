"""Puts an object where another may stand, with all that belongs to both."""

from collections.abc import Iterable, Sequence

from selfedge.bindings.r2 import errors, rows, rules
from selfedge.bindings.r2.bodies import Bodies
from selfedge.bindings.r2.model import Conditions, Object
from selfedge.storage.contract import Records
from selfedge.storage.turns import Turns


class Replacing:
    """The one place where rows of objects change; each change is one transaction."""

    def __init__(self, records: Records, bodies: Bodies, turns: Turns) -> None:
        self._records = records
        self._bodies = bodies
        self._turns = turns

    async def replace(
        self,
        bucket: str,
        new: Object,
        conditions: Conditions | None,
        body: bytes,
        *,
        puts: Iterable[tuple[bytes, bytes]] = (),
        deletes: Iterable[bytes] = (),
    ) -> None:
        """Make `new` the object of its key; `body` is what its body row holds.

        `puts` and `deletes` become part of the transaction.

        Raises:
            PreconditionFailed: the conditions do not hold of what is there.
            StorageError: the disk is full or failing; nothing has changed.
        """
        row = rows.object_row(bucket, new.key)
        async with self._turns.of(row):
            old = rows.decode_object(await self._records.get(row))
            if not rules.met(conditions, old):
                raise errors.PreconditionFailed
            blobs = await self._bodies.blobs_of(old)
            written = [(row, rows.encode(new)), *puts]
            if body:
                written.append((rows.body_row(new.version), body))
            if new.blob is not None:
                written.append((rows.mark(new.blob), b""))
            await self._records.write(written, [*deletes, *_gone(old, blobs)])
        await self._bodies.remove(blobs)

    async def remove(self, turns: Sequence[bytes]) -> None:
        """Remove the objects of rows whose turns the caller has.

        Raises:
            StorageError: the disk is failing; nothing has changed.
        """
        deletes: list[bytes] = []
        blobs: list[tuple[str, int]] = []
        for row in turns:
            old = rows.decode_object(await self._records.get(row))
            if old is not None:
                own = await self._bodies.blobs_of(old)
                deletes += [row, *_gone(old, own)]
                blobs += own
        if deletes:
            await self._records.write(deletes=deletes)
        await self._bodies.remove(blobs)


def _gone(old: Object | None, blobs: Sequence[tuple[str, int]]) -> Iterable[bytes]:
    """Return the rows that belong to an object, beside its own."""
    if old is None:
        return ()
    marks = [rows.mark(blob) for blob, _ in blobs]
    return marks if old.blob is not None else [rows.body_row(old.version), *marks]
