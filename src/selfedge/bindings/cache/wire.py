"""Bytes on the wire ↔ what the Cache API means by them."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

PROTO_HEADER = "selfedge-proto"
"""Where the engine puts the scheme of a request's URL."""

CF_HEADER = "selfedge-cf"
"""Where the engine puts `request.cf`, as JSON."""

NAMESPACE_HEADER = "cf-cache-namespace"
"""The name given to `caches.open`; absent for `caches.default`."""

Digest: TypeAlias = bytes
"""A cache key: Worker, cache and URL, digested."""

_STATUS_LINE = re.compile(r"HTTP/1\.[01] ([1-5]\d\d)(?: ([^\r\n\0]*))?")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "content-length",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_OURS = frozenset({"age", "cf-cache-status"})


class MalformedResponse(ValueError):
    """The body of a PUT is not a serialized HTTP response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Status line and headers of a serialized response; text is Latin-1 of the wire."""

    status: int
    reason: str
    fields: Sequence[tuple[str, str]]  # as sent
    combined: Mapping[str, str]  # by lower-case name, repeated ones joined

    def stored_fields(self, dropped: frozenset[str]) -> bytes:
        """Return the header lines to keep: neither per hop, nor `dropped`, nor ours."""
        named = self.combined.get("connection", "")
        per_hop = {name.strip().lower() for name in named.split(",")}
        left_out = _HOP_BY_HOP | _OURS | dropped | per_hop
        lines = [
            f"{name}: {value}\r\n"
            for name, value in self.fields
            if name.lower() not in left_out
        ]
        return "".join(lines).encode("latin-1")


def parse_head(raw: bytes) -> Head:
    """Read status line and headers, without the blank line that ends them.

    Raises:
        MalformedResponse: they are not HTTP/1.
    """
    status_line, *lines = raw.decode("latin-1").split("\r\n")
    found = _STATUS_LINE.fullmatch(status_line)
    if found is None:
        raise MalformedResponse(f"not a status line: {status_line[:80]!r}")
    fields: list[tuple[str, str]] = []
    combined: dict[str, str] = {}
    for line in lines:
        name, value = _field(line)
        fields.append((name, value))
        lower = name.lower()
        before = combined.get(lower)
        combined[lower] = value if before is None else f"{before}, {value}"
    return Head(
        status=int(found.group(1)),
        reason=found.group(2) or "",
        fields=fields,
        combined=combined,
    )


def _field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not _NAME.fullmatch(name):
        raise MalformedResponse(f"not a header: {line[:80]!r}")
    value = value.strip(" \t")
    if "\r" in value or "\n" in value or "\0" in value:
        raise MalformedResponse(f"a line break or NUL in header {name[:80]}")
    return name, value


class _Cf(msgspec.Struct):
    cache_key: str | None = msgspec.field(default=None, name="cacheKey")


def cache_key(cf: str | None) -> str | None:
    """Return the `cacheKey` that the Worker set in `request.cf`, if any."""
    if cf is None or '"cacheKey"' not in cf:
        return None
    try:
        return msgspec.json.decode(cf.encode("utf-8", "replace"), type=_Cf).cache_key
    except msgspec.DecodeError:
        return None


def digest(worker: str, namespace: str | None, url: str) -> Digest:
    """Return the key of `url` in one cache of one Worker.

    `namespace` is None for `caches.default`.
    """
    cache = "" if namespace is None else f"={namespace}"
    key = f"{worker}\0{cache}\0{url}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(key, digest_size=16).digest()


def latin1(text: str) -> str:
    """Return header text that was decoded as UTF-8 as Latin-1 of the same bytes."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("latin-1")
