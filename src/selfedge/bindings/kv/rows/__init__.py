"""How KV lies in Records: one row per key, and marks that find rows by other ways.

    e <namespace> <key>            → an Entry
    x <expiration> <row of entry>  → nothing: what expires first stands first
    b <blob id>                    → nothing: a blob that an entry names
    n <namespace>                  → the title of a namespace

A mark is written and removed in the transaction that writes its entry.
"""

import struct
from dataclasses import dataclass

_HEAD = struct.Struct(">BQH")  # kind of value, expiration, size of the metadata
_BLOB = struct.Struct(">Q")  # size of the value, before the blob's id
_SIZE = struct.Struct(">H")  # of a namespace's name
_EXPIRATION = struct.Struct(">Q")
_INLINE, _IN_BLOB = 0, 1

BLOB_MARKS = (b"b", b"c")
"""Start and end of all marks of blobs."""

ENTRIES = (b"e", b"f")
"""Start and end of all entries."""

TITLES = (b"n", b"o")
"""Start and end of all titles."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is stored under a key; the value is `inline`, or in the blob `blob`."""

    size: int
    inline: bytes
    blob: str | None
    metadata: str | None
    expiration: int | None  # seconds since the epoch


def encode(entry: Entry) -> bytes:
    """Return `entry` as the value of its row."""
    metadata = (entry.metadata or "").encode()
    head = _HEAD.pack(
        _INLINE if entry.blob is None else _IN_BLOB,
        entry.expiration or 0,
        len(metadata),
    )
    if entry.blob is None:
        return head + metadata + entry.inline
    return head + metadata + _BLOB.pack(entry.size) + entry.blob.encode()


def decode(row: bytes) -> Entry:
    """Return the entry whose row has the value `row`."""
    kind, expiration, metadata_size = _HEAD.unpack_from(row)
    start = _HEAD.size + metadata_size
    metadata = row[_HEAD.size : start].decode() if metadata_size else None
    if kind == _INLINE:
        value = row[start:]
        return Entry(len(value), value, None, metadata, expiration or None)
    (size,) = _BLOB.unpack_from(row, start)
    blob = row[start + _BLOB.size :].decode()
    return Entry(size, b"", blob, metadata, expiration or None)


def namespace_rows(namespace: str) -> bytes:
    """Return what the rows of all keys of `namespace` begin with."""
    name = namespace.encode()
    return b"e" + _SIZE.pack(len(name)) + name


def namespace_of(row: bytes) -> str:
    """Return the namespace of the entry that stands in `row`."""
    start = 1 + _SIZE.size
    (size,) = _SIZE.unpack_from(row, 1)
    return row[start : start + size].decode()


def title_row(namespace: str) -> bytes:
    """Return the row of the title of `namespace`."""
    return b"n" + namespace.encode()


def titled(row: bytes) -> str:
    """Return the namespace whose title stands in `row`."""
    return row[1:].decode()


def end_of(prefix: bytes) -> bytes:
    """Return the least row above all that begin with `prefix`, which has no 0xff."""
    return prefix[:-1] + bytes([prefix[-1] + 1])


def marks(row: bytes, entry: Entry) -> frozenset[bytes]:
    """Return the marks of `entry`, which stands in `row`."""
    found = set()
    if entry.expiration is not None:
        found.add(b"x" + _EXPIRATION.pack(entry.expiration) + row)
    if entry.blob is not None:
        found.add(blob_mark(entry.blob))
    return frozenset(found)


def blob_mark(blob: str) -> bytes:
    """Return the mark that `blob` is in use."""
    return b"b" + blob.encode()


def expired_marks(now: float) -> tuple[bytes, bytes]:
    """Return start and end of the marks of entries that have expired at `now`."""
    return b"x", b"x" + _EXPIRATION.pack(int(now) + 1)


def marked_row(mark: bytes) -> bytes:
    """Return the row of the entry that an expiration's mark stands for."""
    return mark[1 + _EXPIRATION.size :]
