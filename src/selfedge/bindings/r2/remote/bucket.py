"""Blobs as objects of an S3-compatible store."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from secrets import token_hex
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from selfedge.bindings.r2.remote.table import Remote
from selfedge.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obstore.store import S3Config

    from selfedge.storage.contract import Blobs

_PART_BYTES = 8 * 1024 * 1024
_PARTS_AT_ONCE = 2
_CHUNK_BYTES = 256 * 1024
_CONNECT_TIMEOUT = timedelta(seconds=5)
_RETRY_TIMEOUT = timedelta(seconds=20)
_WHOLE_TIMEOUT = timedelta(hours=12)  # of a read to its end: readers may be slow


class BucketBlobs:
    """One object per blob, below `<prefix>/<state>/`.

    `state` names the state directory: no other one's blobs are ever touched.
    """

    def __init__(self, remote: Remote, state: str, keys: tuple[str, str]) -> None:
        self._url = remote.url
        config: S3Config = {
            "region": remote.region,
            "access_key_id": keys[0],
            "secret_access_key": keys[1],
        }
        if remote.endpoint is not None:
            config["endpoint"] = remote.endpoint
        self._store = S3Store.from_url(
            f"{remote.url.rstrip('/')}/{state}",
            config=config,
            client_options={
                "allow_http": True,
                "connect_timeout": _CONNECT_TIMEOUT,
                "timeout": _WHOLE_TIMEOUT,
            },
            retry_config={"max_retries": 4, "retry_timeout": _RETRY_TIMEOUT},
        )

    async def write(self, chunks: AsyncIterator[bytes]) -> tuple[str, int]:
        """Store all of `chunks`; return the new id and the size in bytes.

        Raises:
            StorageError: the store does not take them; nothing was stored.
        """
        blob = token_hex(16)
        counted = _Counted(chunks)
        try:
            with self._explained():
                await obstore.put_async(
                    self._store,
                    blob,
                    counted.chunks(),
                    use_multipart=True,
                    chunk_size=_PART_BYTES,
                    max_concurrency=_PARTS_AT_ONCE,
                )
        except StorageError:
            if counted.error is not None:  # of the upload, not of the store
                raise counted.error from None
            raise
        return blob, counted.size

    async def read(
        self, blob: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Yield the bytes [`start`, `end`) of `blob` in chunks.

        Raises:
            StorageError: the blob is gone, or the store does not answer.
        """
        if end is not None and start >= end:
            return
        with self._explained():
            found = await obstore.get_async(
                self._store,
                blob,
                options={"range": {"offset": start} if end is None else (start, end)},
            )
            async for chunk in found.stream(min_chunk_size=_CHUNK_BYTES):
                yield bytes(chunk)

    async def delete(self, blob: str) -> None:
        """Remove `blob`; an absent one is no error.

        Raises:
            StorageError: the store does not answer.
        """
        try:
            with self._explained():
                await obstore.delete_async(self._store, blob)
        except StorageError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise

    async def ids(self) -> Sequence[str]:
        """Return every id there is.

        Raises:
            StorageError: the store does not answer.
        """
        found: list[str] = []
        with self._explained():
            async for some in obstore.list(self._store):
                found += [one["path"] for one in some]
        return found

    @contextmanager
    def _explained(self) -> "Iterator[None]":
        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            reason = str(error).partition("\n")[0][:300]
            raise StorageError(
                f"The store {self._url} of [r2] in selfedge.toml failed: {reason}"
            ) from error


class _Counted:
    """Counts the bytes that pass, and keeps the error of their source."""

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self._source = source
        self.size = 0
        self.error: BaseException | None = None

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._source:
                self.size += len(chunk)
                yield chunk
        except BaseException as error:
            self.error = error
            raise


if TYPE_CHECKING:
    _: type[Blobs] = BucketBlobs
