"""The state directory: one process owns it; its sockets lie in a private folder."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selfedge.errors import StateInUse, StorageError
from selfedge.supervisor.leftovers import end_leftovers

_SOCKET_PATH_MAX = 70  # a unix socket's address holds about 100 bytes


@contextmanager
def owned(state: Path) -> Iterator[None]:
    """Own `state` while the context is open; made when absent.

    Raises:
        StateInUse: another process owns it.
        StorageError: it cannot be written.
    """
    try:
        state.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(
            state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
    except OSError as error:
        raise StorageError(
            f"cannot use the state directory {state}: {error.strerror}. "
            "Choose another with --state-dir."
        ) from error
    try:
        _lock(descriptor, state)
        _ignore_in_git(state)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def run_directory(state: Path) -> Iterator[Path]:
    """Return an empty folder for sockets, of mode 0700; removed afterwards.

    What a killed node left running in it is ended: call this with `state` owned.
    """
    folder = state / "run"
    if len(os.fsencode(folder)) > _SOCKET_PATH_MAX:
        digest = hashlib.sha256(os.fsencode(state)).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"selfedge-{os.getuid()}-{digest}"
    end_leftovers(folder)
    _empty(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lock(descriptor: int, state: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.read(descriptor, 32).decode().strip() or "unknown"
        raise StateInUse(
            f"{state} is in use by another selfedge (pid {owner}). "
            "Stop that one, or choose another folder with --state-dir."
        ) from error
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())


def _ignore_in_git(state: Path) -> None:
    with contextlib.suppress(OSError):
        ignore = state / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")


def _empty(folder: Path) -> None:
    """Make `folder` anew; what a killed process left in it goes."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise StorageError(f"cannot make {folder}: {error.strerror}.") from error
