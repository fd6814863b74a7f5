"""The small primitives that bindings keep their state on; an engine implements them."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Protocol


class Records(Protocol):
    """An ordered map of bytes to bytes; keys sort as bytes.

    A write has survived SIGKILL of this process once its call has returned.
    """

    async def get(self, key: bytes) -> bytes | None:
        """Return the value under `key`, or None."""

    async def write(
        self, puts: Iterable[tuple[bytes, bytes]] = (), deletes: Iterable[bytes] = ()
    ) -> None:
        """Apply all puts, then all deletes, as one transaction.

        Deleting an absent key is no error.

        Raises:
            StorageError: the disk is full or failing; nothing was written.
        """

    async def scan(
        self, start: bytes, end: bytes, limit: int
    ) -> Sequence[tuple[bytes, bytes]]:
        """Return at most `limit` pairs with `start` <= key < `end`, ascending."""


class Blobs(Protocol):
    """Immutable byte streams, each under an id that the store makes."""

    async def write(self, chunks: AsyncIterator[bytes]) -> tuple[str, int]:
        """Store all of `chunks`; return the new id and the size in bytes.

        An exception of `chunks` (a cut upload) leaves nothing behind.

        Raises:
            StorageError: the disk is full or failing; nothing was stored.
        """

    def read(
        self, blob: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Yield the bytes [`start`, `end`) of `blob` in chunks; close it if half read.

        Raises:
            StorageError: the blob is gone or cannot be read.
        """

    async def delete(self, blob: str) -> None:
        """Remove `blob`; an absent one is no error."""

    async def ids(self) -> Sequence[str]:
        """Return every id there is, so that orphans of a crash can be removed."""


class Storage(Protocol):
    """The state of one node; each binding asks for its part by name."""

    def records(self, name: str) -> Records:
        """Return the map `name`, made when absent."""

    def blobs(self, name: str) -> Blobs:
        """Return the blob store `name`, made when absent."""

    def directory(self, name: str) -> Path:
        """Return a folder for an engine that keeps its own files (a vector index)."""
