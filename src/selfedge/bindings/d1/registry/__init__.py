"""Which databases there are: a folder for each, with its description."""

import re
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from urllib.parse import quote

import msgspec

from selfedge.bindings.d1 import limits
from selfedge.bindings.d1.errors import (
    DiskFailed,
    DuplicateName,
    InvalidName,
    TooManyDatabases,
    UnknownDatabase,
)
from selfedge.types import Clock, Notice

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_. -]*")
_INFO = "database.json"
FILE = "database.sqlite"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a database beside its data."""

    uuid: str
    name: str
    created_at: str
    location: str | None = None  # the hint that was given; there is one place only
    jurisdiction: str | None = None
    read_replication: str = "disabled"


class Registry:
    """The databases under `home`."""

    def __init__(
        self, home: Path, *, clock: Clock, new_id: Callable[[], str], notice: Notice
    ) -> None:
        self._home = home
        self._clock = clock
        self._new_id = new_id
        for rest in home.glob(".deleted-*"):
            shutil.rmtree(rest, ignore_errors=True)
        self._entries: dict[str, Entry] = {}
        for path in sorted(home.glob(f"*/{_INFO}")):
            try:
                entry = msgspec.json.decode(path.read_bytes(), type=Entry)
            except (OSError, msgspec.DecodeError) as error:
                notice(f"D1: {path} cannot be read, its database is left out: {error}")
                continue
            self._entries[entry.uuid] = entry

    def folder(self, uuid: str) -> Path:
        """Return the folder of a database; no id leads out of `home`."""
        return self._home / quote(uuid, safe="").replace(".", "%2E")

    def all(self) -> Sequence[Entry]:
        """Return all, oldest first."""
        entries = self._entries.values()
        return sorted(entries, key=lambda one: (one.created_at, one.uuid))

    def get(self, uuid: str) -> Entry | None:
        """Return the one with that id."""
        return self._entries.get(uuid)

    def find(self, text: str) -> Entry:
        """Return the one with that id, or else that name.

        Raises:
            UnknownDatabase: there is none.
        """
        found = self._entries.get(text) or self._named(text)
        if found is None:
            raise UnknownDatabase(text)
        return found

    def create(
        self, name: str, *, location: str | None = None, jurisdiction: str | None = None
    ) -> Entry:
        """Make an empty database.

        Raises:
            InvalidName, DuplicateName, TooManyDatabases: as they say.
        """
        if not _NAME.fullmatch(name) or len(name) > limits.NAME_MAX_CHARS:
            raise InvalidName(name)
        if self._named(name):
            raise DuplicateName(name)
        if len(self._entries) >= limits.DATABASES_MAX:
            raise TooManyDatabases
        return self._added(self._new_id(), name, location, jurisdiction)

    def ensure(self, uuid: str, name: str) -> Entry:
        """Return the database of a Worker's binding, made when it is not there.

        Without an id it is the one of that name.
        """
        found = self._entries.get(uuid) if uuid else self._named(name)
        return found or self._added(uuid or self._new_id(), name)

    def replicate(self, entry: Entry, mode: str) -> Entry:
        """Note what read replication was asked for; there is one copy only."""
        return self._write(msgspec.structs.replace(entry, read_replication=mode))

    def remove(self, entry: Entry) -> None:
        """Remove a database with its snapshots; its file must be closed."""
        del self._entries[entry.uuid]
        aside = self._home / f".deleted-{token_hex(8)}"
        folder = self.folder(entry.uuid)
        try:
            folder.rename(aside)
        except OSError as error:
            self._entries[entry.uuid] = entry
            raise DiskFailed(folder, error) from error
        shutil.rmtree(aside, ignore_errors=True)

    def _named(self, name: str) -> Entry | None:
        return next((one for one in self.all() if one.name == name), None)

    def _added(
        self,
        uuid: str,
        name: str,
        location: str | None = None,
        jurisdiction: str | None = None,
    ) -> Entry:
        now = datetime.fromtimestamp(self._clock(), UTC)
        created = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        entry = Entry(
            uuid=uuid,
            name=name,
            created_at=created,
            location=location,
            jurisdiction=jurisdiction,
        )
        return self._write(entry)

    def _write(self, entry: Entry) -> Entry:
        folder = self.folder(entry.uuid)
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            fresh = folder / f"{_INFO}.new"
            fresh.write_bytes(msgspec.json.encode(entry))
            fresh.replace(folder / _INFO)
        except OSError as error:
            raise DiskFailed(folder, error) from error
        self._entries[entry.uuid] = entry
        return entry
