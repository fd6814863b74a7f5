"""What R2 speaks of: objects, conditions, ranges, and what was found."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

STANDARD = "Standard"
STORAGE_CLASSES = (STANDARD, "InfrequentAccess")
ALGORITHMS = ("md5", "sha1", "sha256", "sha384", "sha512")
"""In the order of their numbers on the wire."""


class HttpMetadata(
    msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True
):
    """The headers that an object is served with."""

    content_type: str | None = None
    content_language: str | None = None
    content_disposition: str | None = None
    content_encoding: str | None = None
    cache_control: str | None = None
    cache_expiry: int | None = None  # milliseconds since the epoch


class Object(msgspec.Struct, frozen=True, kw_only=True):
    """An object without its bytes, as its row has it."""

    key: str
    version: str  # names this writing of it; never used again
    size: int  # bytes
    etag: str
    uploaded: int  # milliseconds since the epoch
    http: HttpMetadata = HttpMetadata()
    custom: dict[str, str] = {}
    checksums: dict[str, str] = {}  # algorithm → hex
    storage_class: str = STANDARD
    blob: str | None = None  # where the bytes are, when they are one blob
    parts: int = 0  # how many blobs they are, when they were uploaded in parts


class Etag(msgspec.Struct, frozen=True):
    """An etag to compare with; a wildcard is all of them."""

    type: Literal["strong", "weak", "wildcard"]
    value: str = ""


class Conditions(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What must hold of the object that is there; times are milliseconds."""

    etag_matches: list[Etag] | None = None
    etag_does_not_match: list[Etag] | None = None
    uploaded_before: int | None = None
    uploaded_after: int | None = None
    seconds_granularity: bool = False


class Range(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A part of an object that is asked for."""

    offset: int | None = None
    length: int | None = None
    suffix: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOptions:
    """What is stored with an object."""

    http: HttpMetadata = field(default_factory=HttpMetadata)
    custom: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, bytes] = field(default_factory=dict)  # to be verified
    storage_class: str | None = None
    conditions: Conditions | None = None


NO_OPTIONS = PutOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of an upload, as its client names it."""

    number: int
    etag: str


@dataclass(frozen=True, slots=True)
class Stream:
    """Bytes to be read once; close it, read or not."""

    chunks: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]

    async def aclose(self) -> None:
        """Let go of the files."""
        await self.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An object, and the part of its bytes that was asked for."""

    object: Object
    start: int
    length: int
    inline: bytes = b""
    stream: Stream | None = None  # instead of `inline`

    async def aclose(self) -> None:
        """Close the stream."""
        if self.stream is not None:
            await self.stream.aclose()

    async def read(self) -> bytes:
        """Return all the bytes."""
        if self.stream is None:
            return self.inline
        return b"".join([chunk async for chunk in self.stream.chunks])


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """Which objects to list."""

    limit: int = 1000
    prefix: str = ""
    delimiter: str = ""
    cursor: str | None = None
    start_after: str = ""
    http: bool = True  # with HTTP metadata
    custom: bool = True  # with custom metadata


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list; there is more while it has a cursor."""

    objects: Sequence[Object]
    prefixes: Sequence[str]
    cursor: str | None
