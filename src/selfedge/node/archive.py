"""A backup as one tar file, whose last entry has the checksum of each file."""

import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from selfedge import __version__
from selfedge.errors import UsageError

FORMAT = 1
_ABOUT = "selfedge-backup.json"
_SUMS = "selfedge-files.json"
_CHUNK_BYTES = 1024 * 1024


class _About(msgspec.Struct, frozen=True, kw_only=True):
    format: int
    selfedge: str


class _Hashed:
    """A file that is read or written once, and its checksum."""

    def __init__(self, inner: IO[bytes]) -> None:
        self._inner = inner
        self.sum = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._inner.read(size)
        self.sum.update(chunk)
        return chunk


def write_archive(folder: Path, file: Path) -> tuple[int, int]:
    """Write all below `folder` to `file`; return how many files, and their bytes.

    Raises:
        OSError: the disk cannot be written; there is no `file`.
    """
    part = file.with_name(f"{file.name}.part")
    sums: dict[str, str] = {}
    size = 0
    try:
        with open(part, "wb", opener=_for_us_alone) as out:
            with tarfile.open(fileobj=out, mode="w") as tar:
                about = _About(format=FORMAT, selfedge=__version__)
                _add(tar, _ABOUT, msgspec.json.encode(about))
                for path in sorted(one for one in folder.rglob("*") if one.is_file()):
                    name = path.relative_to(folder).as_posix()
                    sums[name], more = _add_file(tar, path, name)
                    size += more
                _add(tar, _SUMS, msgspec.json.encode(sums))
            out.flush()
            os.fsync(out.fileno())
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)
    return len(sums), size


def read_archive(file: Path, data: Path) -> int:
    """Put a backup into the folder `data`, which appears when all is there.

    Return the number of files.

    Raises:
        UsageError: `data` is there and not empty, or `file` is no whole backup.
        OSError: the disk cannot be written; `data` is as it was.
    """
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise UsageError(f"{data} is not empty; choose a new directory.")
    data.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{data.name}.", dir=data.parent))
    try:
        count = _unpack(file, folder)
        folder.rename(data)  # takes the place of an empty one
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return count


def _unpack(file: Path, folder: Path) -> int:
    seen: dict[str, str] = {}
    sums: Mapping[str, str] | None = None
    try:
        with tarfile.open(file, mode="r:") as tar:
            for index, entry in enumerate(tar):
                content = tar.extractfile(entry) if entry.isreg() else None
                if content is None or (index == 0) != (entry.name == _ABOUT):
                    raise UsageError(f"{file} is not a backup of selfedge.")
                if entry.name == _ABOUT:
                    _check(file, msgspec.json.decode(content.read(), type=_About))
                elif entry.name == _SUMS:
                    sums = msgspec.json.decode(content.read(), type=dict[str, str])
                else:
                    seen[entry.name] = _put(content, folder, entry.name)
    except (tarfile.TarError, msgspec.MsgspecError, EOFError) as error:
        raise UsageError(f"{file} is no backup of selfedge: {error}.") from error
    if sums is None or sums != seen:
        raise UsageError(f"{file} is damaged or not whole: take another backup.")
    return len(seen)


def _check(file: Path, about: _About) -> None:
    if about.format > FORMAT:
        raise UsageError(
            f"{file} was written by selfedge {about.selfedge}, which is newer than "
            f"this one ({__version__}). Install that version."
        )


def _put(content: IO[bytes], folder: Path, name: str) -> str:
    """Write one file; return its checksum."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts:
        raise UsageError(f"the backup has a file with a wrong name: {name[:80]!r}.")
    target = folder.joinpath(*parts)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    hashed = _Hashed(content)
    with open(target, "xb", opener=_for_us_alone) as out:
        shutil.copyfileobj(hashed, out, _CHUNK_BYTES)
        out.flush()
        os.fsync(out.fileno())
    return hashed.sum.hexdigest()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    tar.addfile(entry, io.BytesIO(content))


def _add_file(tar: tarfile.TarFile, path: Path, name: str) -> tuple[str, int]:
    entry = tarfile.TarInfo(name)
    with path.open("rb") as opened:
        seen = os.fstat(opened.fileno())
        entry.size, entry.mode, entry.mtime = seen.st_size, 0o600, int(seen.st_mtime)
        hashed = _Hashed(opened)
        tar.addfile(entry, hashed)
    return hashed.sum.hexdigest(), entry.size


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
