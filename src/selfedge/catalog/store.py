"""The catalog on disk: what it says survives the death of the process at any point."""

import asyncio
import re
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from selfedge.catalog.files import (
    explained,
    in_thread,
    make_folder,
    read,
    sha256,
    write_whole,
)
from selfedge.catalog.model import State, Version
from selfedge.catalog.revisions import Revisions
from selfedge.catalog.sealed import Secrets
from selfedge.catalog.sweep import Used, used_by
from selfedge.errors import StorageError
from selfedge.types import Notice

T = TypeVar("T")

VERSIONS_CACHED = 256
_SEGMENT = re.compile(r"[0-9A-Za-z_-]{1,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class StoredAsset(msgspec.Struct, frozen=True, kw_only=True):
    """A static file; its bytes are a blob."""

    sha256: str
    size_bytes: int
    content_type: str | None


class Catalog:
    """Holds `<data>/catalog` and `<data>/secrets`; one process may, at a time."""

    def __init__(self, data: Path, notice: Notice) -> None:
        root = data / "catalog"
        self._notice = notice
        self._revisions = Revisions(root)
        self._version_files = make_folder(root / "versions")
        self._blob_files = make_folder(root / "blobs")
        self._asset_files = make_folder(root / "assets")
        self._secrets = Secrets(data / "secrets")
        self._changing = asyncio.Lock()
        self._cached = lru_cache(maxsize=VERSIONS_CACHED)(self._read_version)
        self._state = self._revisions.newest(notice)

    @classmethod
    def open(cls, directory: Path, notice: Notice) -> Self:
        """Take the newest good revision in the data directory.

        Raises:
            StorageError: the directory cannot be used, or no revision is whole.
        """
        return cls(directory, notice)

    @property
    def state(self) -> State:
        """The revision that counts now; it never changes itself."""
        return self._state

    async def change(self, edit: Callable[[State], State]) -> State:
        """Make what `edit` returns the new revision; it may raise, and nothing changes.

        One change at a time; on disk when this returns, also if the caller is
        cancelled in between. The same state again is no new revision.

        Raises:
            StorageError: the disk cannot be written; nothing changed.
        """
        async with self._changing:
            old = self._state
            edited = edit(old)
            if edited is not old:
                new = msgspec.structs.replace(edited, revision=old.revision + 1)
                await in_thread(self._commit, new)
            return self._state

    def _commit(self, new: State) -> None:
        self._revisions.write(new)
        self._state = new

    async def add_version(self, version: Version) -> None:
        """Keep a version for ever, or until nothing names it.

        Raises:
            StorageError: the disk cannot be written.
        """
        raw = msgspec.json.encode(version)
        await in_thread(write_whole, self._version_file(version.id), raw)

    def version(self, version_id: str) -> Version:
        """Return a version that a script names.

        Raises:
            StorageError: there is none, or its file is damaged.
        """
        return self._cached(version_id)

    async def add_blob(self, data: bytes) -> str:
        """Keep bytes; return their sha256, which is how `blob` finds them.

        Raises:
            StorageError: the disk cannot be written.
        """
        return await in_thread(self._add_blob, data)

    async def blob(self, digest: str) -> bytes:
        """Return the bytes with this sha256.

        Raises:
            StorageError: there are none, or they have changed.
        """
        return await in_thread(self._read_blob, digest)

    def blob_file(self, digest: str) -> Path:
        """Return the file of a blob: for reading only, and not checked.

        Raises:
            StorageError: it is no sha256.
        """
        if not _SHA256.fullmatch(digest):
            raise StorageError(f"{digest[:80]!r} is not the sha256 of a blob.")
        return self._blob_files / digest

    async def add_asset(
        self, account: str, name: str, data: bytes, content_type: str | None
    ) -> None:
        """Keep a static file of an account under `name`, its hash by wrangler.

        Raises:
            StorageError: the disk cannot be written.
        """
        digest = await self.add_blob(data)
        stored = StoredAsset(
            sha256=digest, size_bytes=len(data), content_type=content_type
        )
        path = self._asset_file(account, name)
        await in_thread(_write_in, path, msgspec.json.encode(stored))

    def asset(self, account: str, name: str) -> StoredAsset | None:
        """Return an account's static file, or None.

        Raises:
            StorageError: its file is damaged.
        """
        path = self._asset_file(account, name)
        return _decoded(path, StoredAsset) if path.exists() else None

    async def seal(self, text: str) -> str:
        """Keep a secret encrypted; return the id that reveals it.

        Raises:
            StorageError: the disk cannot be written, or the key is gone.
        """
        return await in_thread(self._secrets.seal, text)

    def reveal(self, secret_id: str) -> str:
        """Return a secret.

        Raises:
            StorageError: it is not there, or the key does not open it.
        """
        return self._secrets.reveal(secret_id)

    def sweep(self) -> None:
        """Remove what no kept revision needs; call it before anything is added.

        If something that is needed cannot be read, all stays, and the console says so.
        """
        try:
            used = self._used()
            blobs = used.blobs | self._asset_blobs(used)
            _keep_only(self._version_files, {f"{one}.json" for one in used.versions})
            _keep_only(self._blob_files, blobs)
            for folder in _folders(self._asset_files):
                names = {f"{one}.json" for one in used.assets_of(folder.name)}
                _keep_only(folder, names)
            self._secrets.keep_only(used.secrets)
        except StorageError as error:
            self._notice(f"{error} Nothing more that may be unused is removed.")

    def _asset_blobs(self, used: Used) -> set[str]:
        """Return the blobs of the static files that are there."""
        found = (self.asset(account, name) for account, name in used.assets)
        return {asset.sha256 for asset in found if asset is not None}

    def _used(self) -> Used:
        return used_by([self._state, *self._revisions.all()], self.version)

    def _read_version(self, version_id: str) -> Version:
        return _decoded(self._version_file(version_id), Version)

    def _version_file(self, version_id: str) -> Path:
        if not _UUID.fullmatch(version_id):
            raise StorageError(f"{version_id[:80]!r} is not the id of a version.")
        return self._version_files / f"{version_id}.json"

    def _asset_file(self, account: str, name: str) -> Path:
        if not (_SEGMENT.fullmatch(account) and _SEGMENT.fullmatch(name)):
            raise StorageError(f"{name[:80]!r} is not the hash of an asset.")
        return self._asset_files / account / f"{name}.json"

    def _add_blob(self, data: bytes) -> str:
        digest = sha256(data)
        path = self.blob_file(digest)
        if not path.exists():
            write_whole(path, data)
        return digest

    def _read_blob(self, digest: str) -> bytes:
        path = self.blob_file(digest)
        data = read(path)
        if sha256(data) != digest:
            raise StorageError(
                f"{path} is damaged. Upload the Worker that it belongs to again."
            )
        return data


def _decoded(path: Path, shape: type[T]) -> T:
    raw = read(path)
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StorageError(f"{path} is damaged: {error}.") from error


def _write_in(path: Path, data: bytes) -> None:
    with explained(path.parent):
        path.parent.mkdir(mode=0o700, exist_ok=True)
    write_whole(path, data)


def _folders(path: Path) -> list[Path]:
    with explained(path):
        return [one for one in path.iterdir() if one.is_dir()]


def _keep_only(folder: Path, names: Collection[str]) -> None:
    with explained(folder):
        for path in folder.iterdir():
            if path.name not in names:
                with suppress(OSError):
                    path.unlink()
