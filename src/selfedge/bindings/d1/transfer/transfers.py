"""Imports and exports of a node's databases."""

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from secrets import token_hex
from threading import Event

from selfedge.bindings.d1.database.connection import Connection
from selfedge.bindings.d1.database.copies import Pinned
from selfedge.bindings.d1.errors import Closing, D1Error, TransferFailed
from selfedge.bindings.d1.limits import (
    DOWNLOAD_TTL_S,
    IMPORT_MAX_BYTES,
    UPLOAD_TTL_S,
)
from selfedge.bindings.d1.service import D1Service
from selfedge.bindings.d1.transfer.dump import Options, dump
from selfedge.bindings.d1.transfer.imports import Imported, ingest
from selfedge.bindings.d1.transfer.links import Link, Links
from selfedge.bindings.d1.transfer.progress import Progress


class Transfers:
    """Keeps files in a folder of its own, which begins empty."""

    def __init__(self, service: D1Service) -> None:
        self._service = service
        self._folder = service.home / ".transfers"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700)
        self.uploads = Links(service.clock, UPLOAD_TTL_S)  # awaited
        self.downloads = Links(service.clock, DOWNLOAD_TTL_S)
        self._received: dict[tuple[str, str], Link] = {}  # database, filename
        self.imports = Progress()
        self.exports = Progress()

    def expect(self, database: str, etag: str) -> tuple[str, str]:
        """Return the secret and the file name of an upload that is to come."""
        filename = f"{database}.{etag.lower()}.sql"
        path = self._folder / f"import-{token_hex(8)}"
        secret = self.uploads.add(database, filename, path, etag.lower())
        return secret, filename

    async def receive(self, link: Link, chunks: AsyncIterator[bytes]) -> None:
        """Take the file that `link` awaits.

        Raises:
            TransferFailed: it is too large, or not the one that was announced.
        """
        part = link.path.with_suffix(f".{token_hex(4)}.part")
        try:
            digest = await _written(part, chunks)
            if digest != link.etag:
                raise TransferFailed(
                    f"The upload has the MD5 {digest}, not {link.etag} as announced:"
                    " it was cut short or changed. Begin again."
                )
            part.replace(link.path)
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        finally:
            part.unlink(missing_ok=True)
        self._received[link.database, link.filename] = link

    async def begin_import(self, database: str, filename: str, etag: str) -> str:
        """Begin to import what was uploaded; return the bookmark of now.

        Raises:
            TransferFailed: there is no such upload, or an import goes on.
            D1Error: there is no room for a snapshot.
        """
        if self.imports.busy(database):
            raise TransferFailed("An import into this database goes on; wait for it.")
        link = self._received.pop((database, filename), None)
        if link is None or link.etag != etag.lower():
            raise TransferFailed(
                f"There is no upload {filename[:120]!r} with that etag. Begin again."
            )
        try:
            bookmark = await self._service.bookmark(database)
        except D1Error:
            link.path.unlink(missing_ok=True)
            raise
        self.imports.start(database, bookmark, self._import(database, link.path))
        return bookmark

    async def begin_export(self, database: str, options: Options) -> str:
        """Begin to write the state of now as SQL; return its bookmark."""
        pinned, bookmark = await self._service.pinned(database)
        if self.exports.known(database, bookmark):
            bookmark = f"{bookmark}-{token_hex(4)}"
        path = self._folder / f"export-{token_hex(8)}"
        stop = self._service.stopping
        work = asyncio.to_thread(_exported, pinned, path, options, stop)
        self.exports.start(database, bookmark, work)
        return bookmark

    async def close(self) -> None:
        """Wait for what goes on, and drop all files."""
        await self.imports.close()
        await self.exports.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _import(self, database: str, path: Path) -> tuple[Imported, str]:
        def call(writer: Connection) -> tuple[Imported, bool]:
            return ingest(writer, path), True

        try:
            return await self._service.database(database).write(call)
        finally:
            await asyncio.to_thread(path.unlink)


def _exported(source: Pinned, path: Path, options: Options, stop: Event) -> Path:
    try:
        with closing(source), path.open("w", encoding="utf-8") as file:
            for statement in _until(stop, dump(source, options)):
                file.write(statement)
                file.write("\n")
    except OSError as error:
        path.unlink(missing_ok=True)
        raise _unwritable(path.parent, error) from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _until(stop: Event, statements: Iterator[str]) -> Iterator[str]:
    for statement in statements:
        if stop.is_set():
            raise Closing
        yield statement


async def _written(path: Path, chunks: AsyncIterator[bytes]) -> str:
    """Write `chunks`; return their MD5, which is no secret's, but an ETag."""
    digest = hashlib.md5(usedforsecurity=False)
    size = 0
    with path.open("wb") as file:
        async for chunk in chunks:
            size += len(chunk)
            if size > IMPORT_MAX_BYTES:
                raise TransferFailed(
                    f"The file is over {IMPORT_MAX_BYTES} bytes; split it."
                )
            digest.update(chunk)
            await asyncio.to_thread(file.write, chunk)
    return digest.hexdigest()


def _unwritable(folder: Path, error: OSError) -> TransferFailed:
    reason = os.strerror(error.errno or 0)
    return TransferFailed(
        f"The file cannot be written in {folder}: {reason}. Free some space there and"
        " try again."
    )
