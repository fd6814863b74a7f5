"""The files of one Worker's log: one that grows, older ones that are numbered."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FILE = "events.jsonl"
FILES_MAX = 8  # of a Worker, the one that grows included


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How much is kept."""

    days: float = 3.0
    bytes_of_worker: int = 64 * 1024 * 1024

    @property
    def bytes_of_file(self) -> int:
        """From which size on a file grows no more."""
        return self.bytes_of_worker // FILES_MAX


USUAL = Retention()


def newest_first(folder: Path) -> Sequence[Path]:
    """Return the files that there are."""
    names = (_numbered(folder, number) for number in range(FILES_MAX))
    return [file for file in names if file.exists()]


def append(folder: Path, lines: bytes, retention: Retention) -> None:
    """Add lines; a file that is full becomes the first of the older ones.

    Raises:
        OSError: they cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = _numbered(folder, 0)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        before = os.fstat(descriptor).st_size
        _mend(file, descriptor, before)
        os.write(descriptor, lines)
    finally:
        os.close(descriptor)
    if before + len(lines) >= retention.bytes_of_file:
        _rotate(folder)


def sweep(root: Path, retention: Retention, now_s: float) -> None:
    """Remove files to which nothing was added for too long, and empty folders."""
    for file in root.glob(f"*/*/{FILE}*"):
        if file.stat().st_mtime < now_s - retention.days * 86400:
            file.unlink(missing_ok=True)
    for folder in (*root.glob("*/*"), *root.glob("*")):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _mend(file: Path, descriptor: int, size: int) -> None:
    """End a line that a crash broke off."""
    if not size:
        return
    with file.open("rb") as stream:
        stream.seek(size - 1)
        if stream.read(1) != b"\n":
            os.write(descriptor, b"\n")


def _rotate(folder: Path) -> None:
    for number in range(FILES_MAX - 1, 0, -1):
        newer = _numbered(folder, number - 1)
        if newer.exists():
            newer.replace(_numbered(folder, number))


def _numbered(folder: Path, number: int) -> Path:
    return folder / (f"{FILE}.{number}" if number else FILE)
