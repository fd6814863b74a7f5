"""How R2 is laid out in Records: which row says what.

    b<bucket>                          what the bucket is
    i                                  what this state directory is called in a store
    o<bucket>/<key>                    an object, without its bytes
    d<version>                         the bytes of a small object, or the list of
                                       the blobs of one that was uploaded in parts
    m<blob>                            the blob is used: all others are orphans
    u<bucket>/<upload>                 an upload in parts
    p<bucket>/<upload>/<number>        a part of it

Buckets are percent-encoded, so that no name holds a slash; keys end the row, and sort
as their UTF-8 does.
"""

from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import quote, unquote

import msgspec

from selfedge.bindings.r2.model import HttpMetadata, Object

MARKS = (b"m", b"n")
BUCKETS = (b"b", b"c")
UPLOADS = (b"u", b"v")

T = TypeVar("T")


class BucketEntry(msgspec.Struct, frozen=True, array_like=True):
    """What a bucket's row holds."""

    created: int  # milliseconds
    storage_class: str
    location: str


class Upload(msgspec.Struct, frozen=True, array_like=True):
    """What an upload's row holds."""

    key: str
    created: int  # milliseconds
    http: HttpMetadata
    custom: dict[str, str]
    storage_class: str
    over: bool = False  # completed or aborted


class PartEntry(msgspec.Struct, frozen=True, array_like=True):
    """What a part's row holds."""

    etag: str
    md5: str
    size: int
    blob: str


def bucket_row(bucket: str) -> bytes:
    """Return the row of a bucket."""
    return b"b" + _quoted(bucket)


def bucket_of(row: bytes) -> str:
    """Return the bucket of a `bucket_row`."""
    return unquote(row[1:].decode())


def objects(bucket: str) -> bytes:
    """Return what the rows of a bucket's objects begin with."""
    return b"o" + _quoted(bucket) + b"/"


def object_row(bucket: str, key: str) -> bytes:
    """Return the row of an object."""
    return objects(bucket) + key.encode()


def body_row(version: str) -> bytes:
    """Return the row of an object's bytes, or of its list of blobs."""
    return b"d" + version.encode()


def mark(blob: str) -> bytes:
    """Return the row that says that a blob is used."""
    return b"m" + blob.encode()


def uploads(bucket: str) -> bytes:
    """Return what the rows of a bucket's uploads begin with."""
    return b"u" + _quoted(bucket) + b"/"


def upload_row(bucket: str, upload: str) -> bytes:
    """Return the row of an upload."""
    return uploads(bucket) + _quoted(upload)


def parts_of(upload: bytes) -> bytes:
    """Return what the rows of the parts of an `upload_row` begin with."""
    return b"p" + upload[1:] + b"/"


def part_row(upload: bytes, number: int) -> bytes:
    """Return the row of a part."""
    return parts_of(upload) + number.to_bytes(4, "big")


def part_number(row: bytes) -> int:
    """Return the number of a `part_row`."""
    return int.from_bytes(row[-4:], "big")


def end_of(prefix: bytes) -> bytes:
    """Return the first row after all that begin with `prefix`, which no 0xff ends."""
    return prefix[:-1] + bytes([prefix[-1] + 1])


def encode(entry: object) -> bytes:
    """Return a struct as bytes."""
    return msgspec.msgpack.encode(entry)


def decode(raw: bytes, shape: type[T]) -> T:
    """Return the struct that `encode` made `raw` of."""
    return msgspec.msgpack.decode(raw, type=shape)


def decode_object(raw: bytes | None) -> Object | None:
    """Return the object of a row; None when there is no row."""
    return None if raw is None else _OBJECT.decode(raw)


def encode_blobs(blobs: Sequence[tuple[str, int]]) -> bytes:
    """Return a list of blobs and their sizes as bytes."""
    return msgspec.msgpack.encode(blobs)


def decode_blobs(raw: bytes) -> Sequence[tuple[str, int]]:
    """Return the list that `encode_blobs` made `raw` of."""
    return _BLOBS.decode(raw)


def _quoted(name: str) -> bytes:
    return quote(name, safe="").encode()


_OBJECT = msgspec.msgpack.Decoder(Object)
_BLOBS = msgspec.msgpack.Decoder(list[tuple[str, int]])
