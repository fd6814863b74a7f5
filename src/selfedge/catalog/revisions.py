"""The catalog's document on disk: one file per revision, each with its checksum."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from selfedge.catalog.files import explained, make_folder, read, sha256, write_whole
from selfedge.catalog.model import State
from selfedge.errors import StorageError
from selfedge.types import Notice

KEPT = 10
_NAME = re.compile(r"([0-9]{1,18})\.json")


class _Document(msgspec.Struct, frozen=True):
    sha256: str  # of the bytes of `state`
    state: msgspec.Raw


class Revisions:
    """The newest revisions in a folder; one process owns it."""

    def __init__(self, folder: Path) -> None:
        self._folder = make_folder(folder)

    def newest(self, notice: Notice) -> State:
        """Return the newest revision that is whole; the first one is empty.

        A damaged newer one is told, and moved aside.

        Raises:
            StorageError: there are revisions, but none is whole.
        """
        paths = self._paths()
        for index, path in enumerate(paths):
            try:
                state = _parsed(path)
            except StorageError as error:
                notice(f"{error} The last good revision is used instead.")
                continue
            for damaged in paths[:index]:
                with suppress(OSError):
                    damaged.rename(damaged.with_name(f"{damaged.name}.damaged"))
            return state
        if paths:
            raise StorageError(
                f"No revision of the catalog in {self._folder} is whole. Put one back "
                "from a backup, or move the folder away to begin anew."
            )
        return State()

    def all(self) -> Iterator[State]:
        """Yield each revision that is whole, newest first."""
        for path in self._paths():
            with suppress(StorageError):
                yield _parsed(path)

    def write(self, state: State) -> None:
        """Put a new revision on disk, and drop those that are too old.

        Raises:
            StorageError: the disk cannot be written; nothing changed.
        """
        path = self._folder / f"{state.revision}.json"
        raw = msgspec.json.encode(state)
        document = _Document(sha256=sha256(raw), state=msgspec.Raw(raw))
        try:
            write_whole(path, msgspec.json.encode(document))
        except StorageError:
            with suppress(OSError):  # renamed, but perhaps not for ever
                path.unlink(missing_ok=True)
            raise
        for old in self._paths()[KEPT:]:
            with suppress(OSError):
                old.unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        """Return the files of revisions, newest first."""
        with explained(self._folder):
            found = [
                (int(match[1]), path)
                for path in self._folder.iterdir()
                if (match := _NAME.fullmatch(path.name))
            ]
        return [path for _, path in sorted(found, reverse=True)]


def _parsed(path: Path) -> State:
    raw = read(path)
    try:
        document = msgspec.json.decode(raw, type=_Document)
        if sha256(bytes(document.state)) != document.sha256:
            raise StorageError(f"{path} is damaged: its checksum is wrong.")
        return msgspec.json.decode(document.state, type=State)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StorageError(f"{path} is damaged: {error}.") from error
