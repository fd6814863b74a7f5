"""What the Cache API does: match, put and purge one key of one cache."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, replace

from selfedge.bindings.cache.limits import DEFAULT_TTL_S, HEAD_MAX_BYTES, Bounds
from selfedge.bindings.cache.rfc9111.conditionals import not_modified, range_applies
from selfedge.bindings.cache.rfc9111.freshness import Fresh, Refused, judge
from selfedge.bindings.cache.rfc9111.ranges import Part, Whole, select_range
from selfedge.bindings.cache.rfc9111.vary import Headers, selectors
from selfedge.bindings.cache.store.entries import Entries
from selfedge.bindings.cache.store.entry import Content, Slot
from selfedge.bindings.cache.wire import Head, MalformedResponse, parse_head
from selfedge.errors import StorageError
from selfedge.types import Clock

_HEAD_END = b"\r\n\r\n"
_WITHOUT_BODY = frozenset({204, 304})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A stored response, or what a conditional or range request gets of it."""

    status: int
    reason: bytes
    fields: bytes  # header lines
    age_s: int
    content_range: str | None = None
    length: int = 0
    body: bytes = b""  # all of it, or where it begins
    rest: AsyncGenerator[bytes, None] | None = None  # to be closed by the receiver


class _BodyRefused(Exception):
    """The body is larger than may be stored, or not as long as it says."""


class CacheService:
    """The caches of all Workers, kept in `entries`."""

    def __init__(self, entries: Entries, *, bounds: Bounds, clock: Clock) -> None:
        self._entries = entries
        self._bounds = bounds
        self._clock = clock

    async def match(self, digest: bytes, request: Headers) -> Hit | None:
        """Return what `request` gets from the cache, or None."""
        while (found := await self._entries.find(digest, request)) is not None:
            slot, content = found
            hit = self._answer(slot, content, request)
            if hit.rest is None:
                return hit
            try:
                return replace(hit, body=await anext(hit.rest, b""))
            except StorageError:
                self._entries.forget(slot)
        return None

    async def put(
        self, digest: bytes, request: Headers, payload: AsyncIterator[bytes]
    ) -> Refused | None:
        """Store the serialized response in `payload`; say why if it is not stored.

        What `payload` raises passes through, and nothing is stored.

        Raises:
            StorageError: the disk is full or failing.
        """
        try:
            head, start = await _read_head(payload)
        except MalformedResponse as error:
            return Refused(reason=str(error))
        fresh = judge(
            head.status,
            head.combined,
            authorized=request("authorization") is not None,
            now=self._clock(),
            default_ttl_s=DEFAULT_TTL_S,
        )
        if isinstance(fresh, Refused):
            return fresh
        chosen = selectors(head.combined.get("vary"), request)
        if chosen is None:
            return Refused(reason="Vary: *")
        try:
            content, blob = await self._take(head, fresh, start, payload)
        except _BodyRefused as error:
            return Refused(reason=str(error))
        await self._entries.add(digest, chosen, fresh.expires, content, blob)
        return None

    async def purge(self, digest: bytes) -> bool:
        """Remove what is stored under the key; False when there was nothing."""
        return await self._entries.remove(digest)

    async def _take(
        self, head: Head, fresh: Fresh, start: bytes, payload: AsyncIterator[bytes]
    ) -> tuple[Content, str | None]:
        """Read the body, into memory when it is small, else to disk."""
        size = _declared_size(head)
        body_max = 0 if head.status in _WITHOUT_BODY else self._bounds.body_max_bytes
        if size is not None and size > body_max:
            raise _BodyRefused(f"a body of {size} bytes; at most {body_max} are kept")
        body = _measured(start, payload, size, body_max)
        memory_max = self._bounds.in_memory_max_bytes
        blob, length, small = None, 0, bytearray()
        async for chunk in body:
            small += chunk
            length = len(small)
            if length > memory_max:
                blob, length = await self._entries.store_body(_chain(small, body))
                small = bytearray()
                break
        content = Content(
            status=head.status,
            reason=head.reason.encode("latin-1"),
            fields=head.stored_fields(fresh.dropped),
            birth=fresh.birth,
            length=length,
            etag=head.combined.get("etag"),
            last_modified=head.combined.get("last-modified"),
            body=bytes(small),
        )
        return content, blob

    def _answer(self, slot: Slot, content: Content, request: Headers) -> Hit:
        whole = Hit(
            status=content.status,
            reason=content.reason,
            fields=content.fields,
            age_s=max(0, int(self._clock() - content.birth)),
            length=content.length,
            body=content.body,
        )
        if content.status == 200:
            tag, modified = content.etag, content.last_modified
            if not_modified(request, tag, modified):
                return replace(
                    whole, status=304, reason=b"Not Modified", length=0, body=b""
                )
            wanted = request("range")
            if wanted and range_applies(request, tag, modified):
                part = select_range(wanted, content.length)
                if part is not Whole.IGNORED:
                    return self._partial(whole, part, slot)
        return self._with_rest(whole, slot, Part(0, content.length))

    def _partial(self, whole: Hit, part: Part | Whole, slot: Slot) -> Hit:
        if isinstance(part, Whole):
            return Hit(
                status=416,
                reason=b"Range Not Satisfiable",
                fields=b"",
                age_s=whole.age_s,
                content_range=f"bytes */{whole.length}",
            )
        hit = replace(
            whole,
            status=206,
            reason=b"Partial Content",
            content_range=f"bytes {part.start}-{part.end - 1}/{whole.length}",
            length=part.end - part.start,
            body=whole.body[part.start : part.end],
        )
        return self._with_rest(hit, slot, part)

    def _with_rest(self, hit: Hit, slot: Slot, part: Part) -> Hit:
        if hit.body or slot.blob is None:
            return hit
        return replace(hit, rest=self._entries.body(slot.blob, part.start, part.end))


def _declared_size(head: Head) -> int | None:
    """Return the serialized response's Content-Length, where it has one."""
    text = head.combined.get("content-length")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise _BodyRefused(f"Content-Length: {text[:80]}")
    return int(text)


async def _read_head(payload: AsyncIterator[bytes]) -> tuple[Head, bytes]:
    """Return the head, and what came with it of the body."""
    buffer = bytearray()
    async for chunk in payload:
        searched = max(0, len(buffer) - len(_HEAD_END) + 1)
        buffer += chunk
        end = buffer.find(_HEAD_END, searched)
        if end >= 0:
            return parse_head(bytes(buffer[:end])), bytes(buffer[end + 4 :])
        if len(buffer) > HEAD_MAX_BYTES:
            raise MalformedResponse(f"a head of over {HEAD_MAX_BYTES} bytes")
    raise MalformedResponse("it ends before its headers do")


async def _measured(
    start: bytes, payload: AsyncIterator[bytes], size: int | None, body_max: int
) -> AsyncIterator[bytes]:
    """Yield the body; fail when it is too large, or not of the size it declared."""
    length = len(start)
    if start:
        yield start
    async for chunk in payload:
        length += len(chunk)
        if length > body_max:
            raise _BodyRefused(f"a body of over {body_max} bytes")
        yield chunk
    if length > body_max:
        raise _BodyRefused(f"a body of over {body_max} bytes")
    if size is not None and length != size:
        raise _BodyRefused(f"a body of {length} bytes that declared {size}")


async def _chain(start: bytearray, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield bytes(start)
    async for chunk in rest:
        yield chunk
