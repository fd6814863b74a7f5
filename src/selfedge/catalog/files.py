"""Files that are whole or not there at all, and named by what they hold."""

import asyncio
import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import ParamSpec, TypeVar

from selfedge.errors import StorageError

PART = ".part"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC

P = ParamSpec("P")
T = TypeVar("T")


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` aside, then rename it to `path`; on disk when this returns.

    Raises:
        StorageError: the disk is full or cannot be written; `path` is as it was.
    """
    part = path.with_name(f"{path.name}.{token_hex(4)}{PART}")  # not another writer's
    with explained(path):
        try:
            _write_synced(part, data)
            part.rename(path)
            sync(path.parent)
        except OSError:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise


def read(path: Path) -> bytes:
    """Return all of a file.

    Raises:
        StorageError: it cannot be read.
    """
    with explained(path):
        return path.read_bytes()


def make_folder(path: Path) -> Path:
    """Make a folder for this user alone, and drop what a crash left half written.

    Raises:
        StorageError: it cannot be made.
    """
    with explained(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in path.glob(f"*{PART}"):
            part.unlink(missing_ok=True)
    return path


def sha256(data: bytes) -> str:
    """Return the hex digest of `data`."""
    return hashlib.sha256(data).hexdigest()


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an OSError at `path` into a StorageError that says what helps."""
    try:
        yield
    except OSError as error:
        raise _explain(error, path) from error


async def in_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `call` in a thread, to its end even if the caller is cancelled."""
    running = asyncio.ensure_future(asyncio.to_thread(call, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


def _write_synced(path: Path, data: bytes) -> None:
    file = os.open(path, _CREATE, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    finally:
        os.close(file)


def sync(folder: Path) -> None:
    """Have the names in `folder` survive a fall of the machine."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _explain(error: OSError, path: Path) -> StorageError:
    if error.errno in _FULL:
        return StorageError(
            f"The disk that holds {path.parent} is full. Nothing was changed; "
            "free some space there and try again."
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return StorageError(
            f"{path} cannot be used: {error.strerror}. Nothing was changed; "
            f"let this user write to {path.parent} and try again."
        )
    return StorageError(f"{path} cannot be used: {error.strerror or error}.")
