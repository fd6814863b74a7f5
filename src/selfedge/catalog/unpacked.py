"""Static files of versions as folders, for the engine to read; each is whole or absent.

A folder is named by what is in it, and so never changes. Its files are links to the
store's blobs where the file system has links. Their times say nothing but the content:
the engine makes ETags of them, and a file that stays keeps its ETag from one version
to the next.
"""

import asyncio
import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from selfedge.catalog.files import PART, explained, in_thread, sync
from selfedge.catalog.model import Assets, State
from selfedge.catalog.paths import fault
from selfedge.catalog.store import Catalog, StoredAsset
from selfedge.catalog.sweep import deployed_versions
from selfedge.errors import StorageError
from selfedge.types import Clock

RETAIN_S = 180.0
"""How long a folder stays that no deployment needs: longer than a process drains."""

_TIMES_NS = 10**18  # times are from 1970 to 2001: in the past, and told apart


class Unpacked:
    """Holds `<data>/assets`."""

    def __init__(self, catalog: Catalog, root: Path, clock: Clock) -> None:
        self._catalog = catalog
        self._root = root
        self._clock = clock
        self._names: dict[str, str] = {}  # version → folder
        self._unneeded: dict[str, float] = {}  # folder → since when
        self._unpacking = asyncio.Lock()

    def open(self) -> None:
        """Make the root, and remove what is half made or not deployed.

        Raises:
            StorageError: the disk cannot be used.
        """
        with explained(self._root):
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._remove(self._there() - self._needed())

    async def folder(self, account: str, assets: Assets) -> Path:
        """Return the folder that holds `assets`, made when absent.

        Whoever deploys a version asks after that: it then stays as long as it is
        deployed.

        Raises:
            StorageError: a file is gone or damaged, or the disk is full; there is no
                folder then.
        """
        path = self._root / name_of(account, assets)
        async with self._unpacking:
            self._unneeded[path.name] = self._clock()
            if not path.is_dir():
                await in_thread(self._make, path, account, assets)
            await in_thread(self._sweep)
        return path

    def _make(self, path: Path, account: str, assets: Assets) -> None:
        part = path.with_name(f"{path.name}{PART}")
        shutil.rmtree(part, ignore_errors=True)
        try:
            with explained(part):
                part.mkdir(mode=0o700)
                self._fill(part, account, assets)
                part.rename(path)
                sync(path.parent)
        except StorageError:
            shutil.rmtree(part, ignore_errors=True)
            raise

    def _fill(self, part: Path, account: str, assets: Assets) -> None:
        folders = {part}
        for name, digest in assets.files.items():
            if wrong := fault(name):
                raise StorageError(f"A static file cannot be named so: {wrong}.")
            stored = self._catalog.asset(account, digest)
            if stored is None:
                raise StorageError(_gone(name))
            target = part / name.lstrip("/")
            if target.parent not in folders:
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                folders.add(target.parent)
            self._place(name, stored, target)
        for folder in folders:
            sync(folder)

    def _place(self, name: str, stored: StoredAsset, target: Path) -> None:
        blob = self._catalog.blob_file(stored.sha256)
        try:
            if blob.stat().st_size != stored.size_bytes:
                raise StorageError(f"{blob} is damaged. {_gone(name)}")
        except FileNotFoundError as error:
            raise StorageError(_gone(name)) from error
        try:
            target.hardlink_to(blob)
        except OSError:  # no links here, or too many of this file
            shutil.copyfile(blob, target)
            target.chmod(0o600)
        time_ns = int(stored.sha256[:16], 16) % _TIMES_NS
        os.utime(target, ns=(time_ns, time_ns))

    def _sweep(self) -> None:
        """Remove folders that nobody has needed for a while."""
        now = self._clock()
        needed = self._needed()
        for name in self._there():
            if name in needed:
                self._unneeded.pop(name, None)
            elif now - self._unneeded.setdefault(name, now) > RETAIN_S:
                self._remove({name})
                del self._unneeded[name]

    def _needed(self) -> set[str]:
        """Return the names of the folders of all deployed versions."""
        return set(self._names_of(self._catalog.state))

    def _names_of(self, state: State) -> Iterable[str]:
        for account, version_id in deployed_versions(state):
            name = self._names.get(version_id)
            if name is None:
                assets = self._catalog.version(version_id).assets
                name = name_of(account, assets) if assets else ""
                self._names[version_id] = name
            if name:
                yield name

    def _there(self) -> set[str]:
        return {path.name for path in self._root.iterdir()}

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            shutil.rmtree(self._root / name, ignore_errors=True)


def name_of(account: str, assets: Assets) -> str:
    """Return the name of the folder of these files."""
    lines = [account, *(f"{digest} {path}" for path, digest in assets.files.items())]
    text = "\n".join([lines[0], *sorted(lines[1:])])
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def _gone(name: str) -> str:
    return (
        f"The static file {name[:200]!r} is not whole in this node's store: deploy the "
        "Worker again."
    )
