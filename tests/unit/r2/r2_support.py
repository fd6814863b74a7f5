"""R2's service on a real folder, as tests drive it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from selfedge.bindings.r2.service import R2Service
from selfedge.storage.embedded import EmbeddedStorage

T = TypeVar("T")
NOW = 1_800_000_000.0


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def opened(
    root: Path, clock: Callable[[], float] | None = None
) -> AsyncIterator[R2Service]:
    """Open the service as a node does."""
    async with EmbeddedStorage(root) as storage:
        service = R2Service(
            records=storage.records("r2"),
            blobs=storage.blobs("r2"),
            clock=clock or Clock(),
        )
        await service.remove_orphans()
        yield service


def within(root: Path, body: Callable[[R2Service], Awaitable[T]]) -> T:
    """Run `body` on the service of the folder `root`."""

    async def main() -> T:
        async with opened(root) as service:
            return await body(service)

    return asyncio.run(main())


async def read(service: R2Service, bucket: str, key: str, **options: object) -> bytes:
    """Return the bytes of an object."""
    found = await service.get(bucket, key, **options)  # type: ignore[arg-type]
    try:
        return await found.read()
    finally:
        await found.aclose()


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    """Yield `parts` as a network would."""
    for part in parts:
        yield part


def blobs(root: Path) -> int:
    """Return how many files of bodies there are."""
    return len(list((root / "r2" / "blobs").iterdir()))
