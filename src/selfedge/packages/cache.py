"""Folders of the user's cache that are filled once, by whoever comes first."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from selfedge.errors import InstallError

MARKER = ".complete"


def ensure(directory: Path, fill: Callable[[Path], None]) -> Path:
    """Return `directory`, filled by `fill` if no process has done so yet.

    `fill` gets an empty folder that takes the place of `directory` when it
    returns; until then nobody sees it, so a kill half-way leaves only litter,
    which the next call removes. A second process waits for the first.

    Raises:
        InstallError: the cache cannot be written, or `fill` raised it.
    """
    if is_complete(directory):
        return directory
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with _locked(directory.with_name(f".{directory.name}.lock")):
            if not is_complete(directory):
                _fill(directory, fill)
    except OSError as error:
        raise InstallError(
            f"cannot write {directory}: {error.strerror or error}. "
            "Set SELFEDGE_CACHE_DIR to a folder that you may write to."
        ) from error
    return directory


def is_complete(directory: Path) -> bool:
    """Tell whether `directory` was filled to the end."""
    return (directory / MARKER).exists()


def _fill(directory: Path, fill: Callable[[Path], None]) -> None:
    for litter in directory.parent.glob(f".{directory.name}.partial-*"):
        shutil.rmtree(litter, ignore_errors=True)
    partial = Path(
        tempfile.mkdtemp(prefix=f".{directory.name}.partial-", dir=directory.parent)
    )
    try:
        fill(partial)
        (partial / MARKER).touch()
        partial.chmod(0o755)
        if directory.exists():  # incomplete: made by hand, or damaged
            shutil.rmtree(directory)
        partial.rename(directory)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
