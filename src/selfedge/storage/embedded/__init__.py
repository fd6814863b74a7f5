"""The engine for one machine: SQLite files for Records, plain files for Blobs."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Self

from selfedge.storage.embedded.blobs import FileBlobs
from selfedge.storage.embedded.faults import explain
from selfedge.storage.embedded.records import SqliteRecords

if TYPE_CHECKING:
    from types import TracebackType

    from selfedge.storage.contract import Storage

__all__ = ["EmbeddedStorage"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


class EmbeddedStorage:
    """All state under `root`: `<name>/records.sqlite` and `<name>/blobs/`.

    One process may open it, and owns it until the context is left.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._records: dict[str, SqliteRecords] = {}
        self._blobs: dict[str, FileBlobs] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        self._blobs.clear()
        while self._records:
            self._records.popitem()[1].close()

    def records(self, name: str) -> SqliteRecords:
        """Return the map `name`, made when absent.

        Raises:
            StorageError: its file is damaged, or the folder cannot be written.
        """
        if name not in self._records:
            path = self.directory(name) / "records.sqlite"
            self._records[name] = SqliteRecords(path)
        return self._records[name]

    def blobs(self, name: str) -> FileBlobs:
        """Return the blob store `name`, made when absent.

        Raises:
            StorageError: the folder cannot be written.
        """
        if name not in self._blobs:
            self._blobs[name] = FileBlobs(self.directory(name) / "blobs")
        return self._blobs[name]

    def directory(self, name: str) -> Path:
        """Return the folder `name`; `records.sqlite*` and `blobs` there are ours.

        Raises:
            StorageError: it cannot be made.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a name for a part of the state")
        path = self._root / name
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise explain(error, path) from error
        return path


if TYPE_CHECKING:
    _: type[Storage] = EmbeddedStorage
