"""Blobs that somebody reads are removed when the last reader has finished."""

from collections import Counter
from collections.abc import Iterable

from selfedge.storage.contract import Blobs


class Lent:
    """Who reads which blob, in this process; a crash leaves orphans to the sweep."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._readers: Counter[str] = Counter()
        self._doomed: set[str] = set()

    def take(self, blobs: Iterable[str]) -> None:
        """Keep `blobs` until they are given back."""
        self._readers.update(blobs)

    async def give_back(self, blobs: Iterable[str]) -> None:
        """Let go of what was taken; remove what nobody needs."""
        for blob in blobs:
            self._readers[blob] -= 1
            if self._readers[blob] > 0:
                continue
            del self._readers[blob]
            if blob in self._doomed:
                self._doomed.discard(blob)
                await self._blobs.delete(blob)

    async def remove(self, blobs: Iterable[str]) -> None:
        """Remove `blobs`, those that are read when their readers have finished."""
        for blob in blobs:
            if self._readers[blob] > 0:
                self._doomed.add(blob)
            else:
                del self._readers[blob]
                await self._blobs.delete(blob)
