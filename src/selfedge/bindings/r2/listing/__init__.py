"""Lists: in order of UTF-8, grouped at a delimiter, page after page."""

import base64
import binascii
from dataclasses import dataclass

import msgspec

from selfedge.bindings.r2 import errors, limits, rows, rules
from selfedge.bindings.r2.model import HttpMetadata, ListQuery, Object, Page
from selfedge.storage.contract import Records

_SCAN_ROWS = 256
_PAGE_MAX_BYTES = limits.BLOCK_MAX_BYTES * 7 // 8
_ROW_BYTES = 300  # names of fields and punctuation, generously
_NO_HTTP = HttpMetadata()
_KEY, _PREFIX = b"k", b"p"  # what a cursor ends with


async def listed(records: Records, bucket: str, query: ListQuery) -> Page:
    """Return objects and, with a delimiter, the prefixes that others share.

    A page also ends before its JSON is more than the engine reads.

    Raises:
        R2Error: limit or cursor is wrong.
        StorageError: the disk is failing.
    """
    rules.check_limit(query.limit)
    base = rows.objects(bucket)
    page = _Page(query)
    start, end = _bounds(base, query)
    while pairs := await records.scan(start, end, min(query.limit + 1, _SCAN_ROWS)):
        for row, raw in pairs:
            if row < start:  # below a prefix that is on the page
                continue
            key = row[len(base) :]
            prefix = page.prefix_of(key)
            if page.full:
                return page.cut()
            if prefix is not None:
                page.add_prefix(prefix)
                start = rows.end_of(base + prefix)
            elif not page.add(key, raw):
                return page.cut()
            else:
                start = row + b"\0"
    return Page(page.objects, page.prefixes, None)


def _bounds(base: bytes, query: ListQuery) -> tuple[bytes, bytes]:
    within = base + _bytes(query.prefix)
    after = base + _bytes(query.start_after) + b"\0" if query.start_after else b""
    if query.cursor:
        after = max(after, base + _position(query.cursor))
    end = rows.end_of(within)
    return max(within, after), end


class _Page:
    """What is on a page so far."""

    def __init__(self, query: ListQuery) -> None:
        self._query = query
        self._begin = len(_bytes(query.prefix))
        self._delimiter = _bytes(query.delimiter)
        self._bytes = 0
        self._last = b""
        self.objects: list[Object] = []
        self.prefixes: list[str] = []

    @property
    def full(self) -> bool:
        return len(self.objects) + len(self.prefixes) >= self._query.limit

    def prefix_of(self, key: bytes) -> bytes | None:
        """Return the prefix that stands for `key`; None when it stands for itself."""
        if not self._delimiter:
            return None
        at = key.find(self._delimiter, self._begin)
        return None if at < 0 else key[: at + len(self._delimiter)]

    def add_prefix(self, prefix: bytes) -> None:
        self.prefixes.append(prefix.decode(errors="replace"))
        self._last = _PREFIX + prefix

    def add(self, key: bytes, raw: bytes) -> bool:
        """Add an object; False when the page has no room for it."""
        found = _shown(rows.decode(raw, Object), self._query)
        size = len(msgspec.json.encode(found)) + _ROW_BYTES
        if self.objects and self._bytes + size > _PAGE_MAX_BYTES:
            return False
        self._bytes += size
        self.objects.append(found)
        self._last = _KEY + key
        return True

    def cut(self) -> Page:
        """Return the page, with a cursor behind its last entry."""
        cursor = base64.urlsafe_b64encode(self._last).decode().rstrip("=")
        return Page(self.objects, self.prefixes, cursor)


def _shown(found: Object, query: ListQuery) -> Object:
    if query.http and query.custom:
        return found
    return msgspec.structs.replace(
        found,
        http=found.http if query.http else _NO_HTTP,
        custom=found.custom if query.custom else {},
    )


def _position(cursor: str) -> bytes:
    """Return the key at which a list goes on.

    Raises:
        InvalidArgument: no list returned that cursor.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeError) as error:
        raise _foreign() from error
    kind, last = raw[:1], raw[1:]
    if not last or len(last) > limits.KEY_MAX_BYTES:
        raise _foreign()
    if kind == _KEY:
        return last + b"\0"
    if kind == _PREFIX and last[-1] < 0xFF:
        return rows.end_of(last)
    raise _foreign()


def _foreign() -> errors.InvalidArgument:
    return errors.InvalidArgument(
        "The cursor is not one of ours: take it from the last list."
    )


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


@dataclass(frozen=True, slots=True)
class Usage:
    """How much a bucket holds."""

    objects: int
    payload_bytes: int
    metadata_bytes: int


async def usage(records: Records, bucket: str) -> Usage:
    """Count the objects of a bucket and their bytes.

    Raises:
        StorageError: the disk is failing.
    """
    start = rows.objects(bucket)
    end = rows.end_of(start)
    count = payload = metadata = 0
    while pairs := await records.scan(start, end, _SCAN_ROWS):
        count += len(pairs)
        payload += sum(rows.decode(raw, Object).size for _, raw in pairs)
        metadata += sum(len(raw) for _, raw in pairs)
        start = pairs[-1][0] + b"\0"
    return Usage(count, payload, metadata)
