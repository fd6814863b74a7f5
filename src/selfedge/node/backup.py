"""Copies a data directory into one file, also while the node writes to it.

What names others is copied before or between what it names, so nothing is named that
is not there: the catalog, then bodies, then databases, then the bodies that came since.
"""

import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from selfedge.errors import StorageError, UsageError
from selfedge.node.archive import write_archive
from selfedge.types import Notice

_STAGE = "backup.part"
_LOCK = "backup.lock"
_LEFT_OUT = {"run", "assets", "lock", "api.json", ".gitignore", _STAGE, _LOCK}
"""What a start makes anew. Names at the top of the data directory."""

_SIDE_FILES = ("-wal", "-shm", "-journal", ".part")
_HEADER = b"SQLite format 3\0"
_BUSY_S = 10.0
_TRIES = 20
_PAUSE_S = 0.25


@dataclass(frozen=True, slots=True)
class Written:
    """What a backup came to."""

    files: int
    size_bytes: int


def backup(data: Path, file: Path, notice: Notice) -> Written:
    """Write the data directory `data` to `file`, which appears when it is whole.

    Raises:
        UsageError: `data` is no data directory, or `file` is there already.
        StorageError: something cannot be read or written; there is no `file`.
    """
    if not (data / "catalog").is_dir():
        raise UsageError(f"{data} is not the data directory of a node: no catalog/.")
    if file.exists():
        raise UsageError(f"{file} is there already; choose another name.")
    try:
        with _stage(data) as stage:
            _Copy(data, stage, notice).all()
            return Written(*write_archive(stage, file))
    except (OSError, sqlite3.Error) as error:
        raise StorageError(
            f"The backup of {data} failed: {error}. Nothing was written to {file}."
        ) from error


@contextmanager
def _stage(data: Path) -> Iterator[Path]:
    """Yield an empty folder beside the data, for links to them; one at a time."""
    stage = data / _STAGE
    with (data / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(f"another backup of {data} is under way.") from error
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir(mode=0o700)
        try:
            yield stage
        finally:
            shutil.rmtree(stage, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Copy:
    """One copy of `data`, in the folder `stage`."""

    data: Path
    stage: Path
    notice: Notice
    indexes: set[Path] = field(default_factory=set)  # folders of Vectorize

    def all(self) -> None:
        """Copy everything, in the order that keeps it whole."""
        self._each(sorted((self.data / "catalog").glob("*.json")), self._link)
        self._each(self._below("catalog", "secrets", "tls"), self._link)
        found = self.data.glob("accounts/*/vectorize/*/index.json")
        self.indexes.update(one.parent for one in found)
        others = list(self._others())
        self._each((one for one in others if _is_blob(one)), self._link)
        self._each((one for one in others if not _is_blob(one)), self._file)
        self._each((one for one in self._others() if _is_blob(one)), self._link)
        for folder in sorted(self.indexes):
            self._index(folder)

    def _others(self) -> Iterator[Path]:
        done = {"catalog", "secrets", "tls"} | _LEFT_OUT
        names = [one.name for one in self.data.iterdir() if one.name not in done]
        for path in self._below(*names):
            if not any(folder in path.parents for folder in self.indexes):
                yield path

    def _below(self, *names: str) -> Iterator[Path]:
        for name in names:
            for folder, _, files in os.walk(self.data / name):
                for one in sorted(files):
                    if not one.endswith(_SIDE_FILES):
                        yield Path(folder, one)

    def _each(self, paths: Iterable[Path], copy: Callable[[Path, Path], None]) -> None:
        for path in paths:
            target = self.stage / path.relative_to(self.data)
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # it was deleted just now
                copy(path, target)

    def _link(self, path: Path, target: Path) -> None:
        """Keep a file that never changes, though it may be deleted."""
        if target.exists():
            return
        try:
            os.link(path, target)
        except FileNotFoundError:
            raise
        except OSError:  # a file system without links
            shutil.copyfile(path, target)

    def _file(self, path: Path, target: Path) -> None:
        with path.open("rb") as opened:
            is_database = opened.read(len(_HEADER)) == _HEADER
        if is_database:
            _database(path, target)
        else:
            shutil.copyfile(path, target)

    def _index(self, folder: Path) -> None:
        """Copy an index when nobody writes to it; say so if that never comes."""
        for _ in range(_TRIES):
            before = _looks(folder)
            self._each(self._below(str(folder.relative_to(self.data))), _again)
            if before == _looks(folder):
                return
            time.sleep(_PAUSE_S)
        self.notice(
            f"{folder} was written to all the time: its copy may be damaged. Export "
            "this index as well (selfedge vectorize export), or stop the writers."
        )


def _is_blob(path: Path) -> bool:
    return path.parent.name == "blobs"


def _again(path: Path, target: Path) -> None:
    shutil.copyfile(path, target)


def _looks(folder: Path) -> dict[Path, tuple[int, int]]:
    """Return what tells that a file below `folder` has changed."""
    found = {}
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            seen = path.stat()
            found[path] = (seen.st_size, seen.st_mtime_ns)
    return found


def _database(path: Path, target: Path) -> None:
    """Copy a database as it is at one moment; its writers go on."""
    source = f"{path.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(source, uri=True, timeout=_BUSY_S)) as from_,
        closing(sqlite3.connect(target)) as to,
    ):
        from_.backup(to)
    target.chmod(0o600)
