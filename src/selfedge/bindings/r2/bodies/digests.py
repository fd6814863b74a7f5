"""Checksums of bytes that pass."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping

from selfedge.bindings.r2 import errors

MD5 = "md5"
_SHOWN = {
    "md5": "MD5",
    "sha1": "SHA-1",
    "sha256": "SHA-256",
    "sha384": "SHA-384",
    "sha512": "SHA-512",
}


class Digests:
    """The MD5, and other checksums, of what is fed."""

    def __init__(self, algorithms: Iterable[str] = ()) -> None:
        self._hashes = {
            name: hashlib.new(name, usedforsecurity=False)
            for name in dict.fromkeys((MD5, *algorithms))
        }
        self.size = 0

    def feed(self, data: bytes) -> None:
        """Take more bytes."""
        self.size += len(data)
        for one in self._hashes.values():
            one.update(data)

    async def passing(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield `chunks` on; each is counted in a thread while the next one comes."""
        feeding: asyncio.Future[None] | None = None
        try:
            async for chunk in chunks:
                if feeding is not None:
                    await feeding
                feeding = asyncio.ensure_future(asyncio.to_thread(self.feed, chunk))
                yield chunk
        finally:
            if feeding is not None:
                await asyncio.shield(feeding)

    @property
    def md5(self) -> str:
        """The MD5 in hex."""
        return self._hashes[MD5].hexdigest()

    def verified(self, given: Mapping[str, bytes]) -> dict[str, str]:
        """Return the MD5 and the checksums that were `given`, in hex.

        Raises:
            BadDigest: one of them is another.
        """
        for name, digest in given.items():
            actual = self._hashes[name].digest()
            if actual != digest:
                raise errors.BadDigest(_SHOWN[name], digest.hex(), actual.hex())
        return {name: one.hexdigest() for name, one in self._hashes.items()}
