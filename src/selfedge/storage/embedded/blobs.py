"""Blobs as files, whole or not there at all: written aside, then renamed."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, TypeVar

from selfedge.storage.embedded.faults import explain
from selfedge.storage.pieces import pieces

if TYPE_CHECKING:
    from selfedge.storage.contract import Blobs

CHUNK_BYTES = 1024 * 1024  # fewer waits for a thread; more would only take memory
_PART = ".part"
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_CLOEXEC

T = TypeVar("T")


class FileBlobs:
    """One file per blob in the folder `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with _explained(path):
            path.mkdir(mode=0o700, exist_ok=True)
            for part in path.glob(f"*{_PART}"):  # uploads that a crash cut
                part.unlink(missing_ok=True)

    async def write(self, chunks: AsyncIterator[bytes]) -> tuple[str, int]:
        """Store all of `chunks`; return the new id and the size in bytes.

        Raises:
            StorageError: the disk is full or failing; nothing was stored.
        """
        blob = token_hex(16)
        part = self._path / f"{blob}{_PART}"
        try:
            size = await _write_file(part, chunks)
            with _explained(part):
                part.rename(self._path / blob)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return blob, size

    async def read(
        self, blob: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Yield the bytes [`start`, `end`) of `blob` in chunks.

        Raises:
            StorageError: the blob is gone or cannot be read.
        """
        path = self._path / blob
        with _explained(path):
            file = os.open(path, _READ)
        try:
            size = os.fstat(file).st_size
            stop = size if end is None else min(end, size)
            while start < stop:
                wanted = min(CHUNK_BYTES, stop - start)
                with _explained(path):
                    chunk = await _in_thread(os.pread, file, wanted, start)
                if not chunk:
                    return
                start += len(chunk)
                yield chunk
        finally:
            os.close(file)

    async def delete(self, blob: str) -> None:
        """Remove `blob`; an absent one is no error.

        Raises:
            StorageError: the folder cannot be written.
        """
        path = self._path / blob
        with _explained(path):
            await _in_thread(path.unlink, True)  # noqa: FBT003 - missing_ok

    async def ids(self) -> Sequence[str]:
        """Return every id there is.

        Raises:
            StorageError: the folder cannot be read.
        """
        with _explained(self._path):
            names = await _in_thread(os.listdir, self._path)
        return [name for name in names if not name.endswith(_PART)]


async def _write_file(path: Path, chunks: AsyncIterator[bytes]) -> int:
    with _explained(path):
        file = os.open(path, _CREATE, 0o600)
    size = 0
    try:
        async for piece in pieces(chunks):
            with _explained(path):
                await _in_thread(_write_all, file, piece)
            size += len(piece)
        with _explained(path):  # who knows of a blob finds it whole, also after a fall
            await _in_thread(os.fsync, file)
    finally:
        os.close(file)
    return size


def _write_all(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


async def _in_thread(call: Callable[..., T], *args: object) -> T:
    """Run `call` in a thread, to its end: a file must not be closed under it."""
    running = asyncio.ensure_future(asyncio.to_thread(call, *args))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise explain(error, path) from error


if TYPE_CHECKING:
    _: type[Blobs] = FileBlobs
