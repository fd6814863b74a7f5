"""A cache service on real storage, with a clock that tests move."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from selfedge.bindings.cache.limits import Bounds
from selfedge.bindings.cache.rfc9111.freshness import Refused
from selfedge.bindings.cache.service import CacheService, Hit
from selfedge.bindings.cache.store.entries import Entries
from selfedge.bindings.cache.wire import digest
from selfedge.storage.contract import Storage
from selfedge.storage.embedded import EmbeddedStorage

KIB = 1024
SMALL = Bounds(
    disk_bytes=200 * KIB,
    memory_bytes=40 * KIB,
    entry_overhead_bytes=100,
    in_memory_max_bytes=8 * KIB,
    inline_max_bytes=2 * KIB,
    unwritten_max_bytes=64 * KIB,
    body_max_bytes=100 * KIB,
    write_delay_s=3600,  # tests flush when they want it
    sweep_every_s=3600,
)


@dataclass
class Time:
    """Seconds since the epoch, as a test says."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Node:
    """A running service and what it is made of."""

    service: CacheService
    entries: Entries
    storage: Storage
    clock: Time
    notices: list[str] = field(default_factory=list)

    async def put(
        self,
        url: str,
        raw: bytes | Iterable[bytes],
        request: Mapping[str, str] | None = None,
    ) -> Refused | None:
        chunks = [raw] if isinstance(raw, bytes) else raw
        return await self.service.put(key(url), (request or {}).get, stream(chunks))

    async def match(
        self, url: str, request: Mapping[str, str] | None = None
    ) -> Hit | None:
        return await self.service.match(key(url), (request or {}).get)

    async def body(
        self, url: str, request: Mapping[str, str] | None = None
    ) -> bytes | None:
        hit = await self.match(url, request)
        return None if hit is None else await read(hit)

    async def purge(self, url: str) -> bool:
        return await self.service.purge(key(url))

    async def blobs(self) -> int:
        return len(await self.storage.blobs("cache").ids())


@asynccontextmanager
async def node(
    storage: Storage, *, clock: Time | None = None, bounds: Bounds = SMALL
) -> AsyncIterator[Node]:
    clock = clock or Time()
    notices: list[str] = []
    entries = Entries(storage, bounds=bounds, clock=clock, notice=notices.append)
    async with entries.running():
        service = CacheService(entries, bounds=bounds, clock=clock)
        yield Node(service, entries, storage, clock, notices)


@asynccontextmanager
async def fresh_node(path: Path, bounds: Bounds = SMALL) -> AsyncIterator[Node]:
    async with EmbeddedStorage(path) as storage, node(storage, bounds=bounds) as made:
        yield made


def key(url: str) -> bytes:
    return digest("worker", None, f"https://example.com/{url}")


def response(
    body: bytes = b"", *, status: int = 200, ttl_s: int = 60, **headers: str
) -> bytes:
    """Return a serialized response; `_` in a header's name stands for `-`."""
    head = f"HTTP/1.1 {status} Fine\r\nContent-Length: {len(body)}\r\n"
    headers.setdefault("Cache_Control", f"max-age={ttl_s}")
    for name, value in headers.items():
        head += f"{name.replace('_', '-')}: {value}\r\n"
    return head.encode("latin-1") + b"\r\n" + body


async def stream(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def read(hit: Hit) -> bytes:
    if hit.rest is None:
        return hit.body
    return hit.body + b"".join([chunk async for chunk in hit.rest])
