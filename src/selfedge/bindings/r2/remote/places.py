"""New bodies go to the store; those that are on the disk stay readable."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from secrets import token_hex
from typing import TYPE_CHECKING

from selfedge.storage.contract import Blobs, Records

_THERE = "s3-"
_STATE_ROW = b"i"
"""Holds the name of this state directory."""


class Places:
    """Blobs of the disk and of a store, told apart by their ids."""

    def __init__(self, here: Blobs, there: Blobs) -> None:
        self._here = here
        self._there = there

    async def write(self, chunks: AsyncIterator[bytes]) -> tuple[str, int]:
        """Store all of `chunks` in the store."""
        blob, size = await self._there.write(chunks)
        return _THERE + blob, size

    def read(
        self, blob: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Yield the bytes [`start`, `end`) of `blob` from where it is."""
        place, name = self._found(blob)
        return place.read(name, start, end)

    async def delete(self, blob: str) -> None:
        """Remove `blob` from where it is."""
        place, name = self._found(blob)
        await place.delete(name)

    async def ids(self) -> Sequence[str]:
        """Return every id of both."""
        there = [_THERE + blob for blob in await self._there.ids()]
        return [*await self._here.ids(), *there]

    def _found(self, blob: str) -> tuple[Blobs, str]:
        if blob.startswith(_THERE):
            return self._there, blob.removeprefix(_THERE)
        return self._here, blob


async def state_name(records: Records) -> str:
    """Return the name of this state directory, which it keeps for good."""
    found = await records.get(_STATE_ROW)
    if found is None:
        found = token_hex(8).encode()
        await records.write([(_STATE_ROW, found)])
    return found.decode()


if TYPE_CHECKING:
    _: type[Blobs] = Places
