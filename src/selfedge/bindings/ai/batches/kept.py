"""Batches on disk: a restart of the node goes on with them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec

from selfedge.storage.contract import Records

_END = b"batch0"  # after every "batch/…"
_PAGE = 50

Result = Mapping[str, Any]


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A batch as it was asked for."""

    id: str
    model: str
    at: float  # seconds since 1970
    requests: Sequence[Mapping[str, Any]]


class Kept:
    """The batches in `records`: each has a row, and one for every answer."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def begin(self, batch: Begun) -> None:
        """Keep a batch that has no answers yet."""
        await self._records.write([(_key(batch.id), msgspec.json.encode(batch))])

    async def answer(self, batch_id: str, place: int, result: Result) -> None:
        """Keep one answer."""
        row = (_key(batch_id, place), msgspec.json.encode([place, result]))
        await self._records.write([row])

    async def drop(self, batch_id: str, count: int) -> None:
        """Forget a batch of `count` requests."""
        answers = [_key(batch_id, place) for place in range(count)]
        await self._records.write(deletes=[_key(batch_id), *answers])

    async def load(self) -> Sequence[tuple[Begun, dict[int, Result]]]:
        """Return all batches with their answers, the oldest first."""
        found: list[tuple[Begun, dict[int, Result]]] = []
        async for key, value in self._rows():
            if key.count(b"/") == 1:
                found.append((msgspec.json.decode(value, type=Begun), {}))
            elif found:  # answers follow their batch
                place, result = msgspec.json.decode(value)
                found[-1][1][place] = result
        return sorted(found, key=lambda one: one[0].at)

    async def _rows(self) -> AsyncIterator[tuple[bytes, bytes]]:
        start = b"batch/"
        while rows := await self._records.scan(start, _END, _PAGE):
            for row in rows:
                yield row
            start = rows[-1][0] + b"\0"


def _key(batch_id: str, place: int | None = None) -> bytes:
    end = "" if place is None else f"/{place:04}"
    return f"batch/{batch_id}{end}".encode()
