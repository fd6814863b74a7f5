"""What goes into the KV service and comes out of it."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Value:
    """What a get found; its bytes are `inline`, or come once from `chunks`.

    Close it if they are not read to their end.
    """

    size: int
    metadata: str | None
    inline: bytes
    chunks: AsyncGenerator[bytes, None] | None
    expiration: int | None = None  # seconds since the epoch

    async def read(self) -> bytes:
        """Return the whole value."""
        if self.chunks is None:
            return self.inline
        return b"".join([chunk async for chunk in self.chunks])

    async def aclose(self) -> None:
        """Let go of a value that is not wanted any more."""
        if self.chunks is not None:
            await self.chunks.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOptions:
    """What a put may say about its value; times in seconds, `metadata` is JSON."""

    metadata: str | None = None
    expiration: int | None = None  # since the epoch
    expiration_ttl: int | None = None  # wins over `expiration`


NO_OPTIONS = PutOptions()


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key as a list shows it."""

    name: str
    expiration: int | None
    metadata: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list; without `cursor` it is the last one."""

    keys: Sequence[ListedKey]
    cursor: str | None
