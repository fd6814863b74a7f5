"""The stored responses of a node: index, memory and disk kept in step."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from selfedge.bindings.cache.limits import VARIANTS_MAX, Bounds
from selfedge.bindings.cache.rfc9111.vary import Headers, Selectors
from selfedge.bindings.cache.store.disk import Disk
from selfedge.bindings.cache.store.entry import Content, Slot
from selfedge.bindings.cache.store.index import Index
from selfedge.bindings.cache.store.memory import Memory
from selfedge.errors import StorageError
from selfedge.storage.contract import Storage
from selfedge.types import Clock, Notice


class Entries:
    """Responses by digest of their key; an entry is replaced, never changed.

    Entries of an earlier run are read while `running`; until then calls wait.
    """

    def __init__(
        self, storage: Storage, *, bounds: Bounds, clock: Clock, notice: Notice
    ) -> None:
        self._bounds = bounds
        self._clock = clock
        self._notice = notice
        self._index = Index(capacity_bytes=bounds.disk_bytes, variants_max=VARIANTS_MAX)
        self._memory = Memory(capacity_bytes=bounds.memory_bytes)
        self._disk = Disk(
            storage.records("cache"),
            storage.blobs("cache"),
            inline_max_bytes=bounds.inline_max_bytes,
        )
        self._loaded = asyncio.Event()
        self._next_number = 1
        self._disk_failing = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load, write behind and sweep for as long as the context is open."""
        work = [asyncio.create_task(job) for job in (self._write(), self._sweep())]
        try:  # a TaskGroup would wrap what the caller raises
            yield
        finally:
            for task in work:
                task.cancel()
            await asyncio.wait(work)
            await self.flush()

    async def find(
        self, digest: bytes, request: Headers
    ) -> tuple[Slot, Content] | None:
        """Return the fresh entry that `request` selects, or None."""
        if not self._loaded.is_set():
            await self._loaded.wait()
        while (slot := self._index.find(digest, request)) is not None:
            content = None
            if slot.expires > self._clock():
                content = self._memory.get(slot.number)
                content = content or await self._read(slot)
            if content is not None:
                return slot, content
            self.forget(slot)
        return None

    async def add(
        self,
        digest: bytes,
        selectors: Selectors,
        expires: float,
        content: Content,
        blob: str | None = None,
    ) -> None:
        """Store an entry in place of the one with the same key and selectors."""
        if not self._loaded.is_set():
            await self._loaded.wait()
        overhead = self._bounds.entry_overhead_bytes
        slot = Slot(
            number=self._next_number,
            digest=digest,
            selectors=selectors,
            expires=expires,
            size_bytes=content.length + len(content.fields) + overhead,
            blob=blob,
        )
        self._next_number += 1
        self._insert(slot)
        if slot in self._index:
            self._memory.put(slot.number, content)
            self._disk.keep(slot, content)
        if self._disk.unwritten_bytes > self._bounds.unwritten_max_bytes:
            await self.flush()

    async def remove(self, digest: bytes) -> bool:
        """Remove all entries under `digest`, also on disk; False: none was fresh."""
        if not self._loaded.is_set():
            await self._loaded.wait()
        now, fresh, on_disk = self._clock(), False, False
        for slot in self._index.variants(digest):
            fresh = fresh or slot.expires > now
            on_disk = self.forget(slot) or on_disk
        if on_disk:
            await self.flush()
        return fresh

    def forget(self, slot: Slot) -> bool:
        """Remove one entry; True when the disk has it until the next flush."""
        if not self._index.remove(slot):
            return False
        return self._drop(slot)

    async def store_body(self, chunks: AsyncIterator[bytes]) -> tuple[str, int]:
        """Write a large body; return its blob, for `add` or `abandon`, and size.

        Raises:
            StorageError: the disk is full or failing.
        """
        if not self._loaded.is_set():  # loading removes blobs that no entry owns
            await self._loaded.wait()
        return await self._disk.store_body(chunks)

    def abandon(self, blob: str) -> None:
        """Remove a body that shall not be added after all."""
        self._disk.abandon(blob)

    def body(self, blob: str, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """Yield the bytes [`start`, `end`) of a large body, whatever happens to it.

        Raises:
            StorageError: it cannot be read.
        """
        return self._disk.body(blob, start, end)

    async def flush(self) -> None:
        """Bring the disk up to date; entries that it does not take are forgotten."""
        failure = await self._disk.flush()
        if failure is None:
            self._disk_failing = False
            return
        for slot in failure.lost:
            self.forget(slot)
        if not self._disk_failing:
            self._notice(f"Cache: responses are not kept: {failure.error}")
        self._disk_failing = True

    async def load(self) -> None:
        """Take up the entries of an earlier run."""
        try:
            slots = await self._disk.load()
        except StorageError as error:
            slots = ()
            self._notice(f"Cache: starting empty, as it cannot be read: {error}")
        now = self._clock()
        for slot in slots:
            if slot.expires > now:
                self._insert(slot)
            else:
                self._drop(slot)
        self._next_number = max((slot.number for slot in slots), default=0) + 1
        self._loaded.set()

    def sweep(self) -> None:
        """Remove the expired entries."""
        for slot in self._index.expired(self._clock()):
            self.forget(slot)

    def _insert(self, slot: Slot) -> None:
        for gone in self._index.add(slot):
            self._drop(gone)

    def _drop(self, slot: Slot) -> bool:
        self._memory.drop(slot.number)
        return self._disk.drop(slot)

    async def _read(self, slot: Slot) -> Content | None:
        content = await self._disk.read(slot)
        if content is None:
            return None
        small = content.length <= self._bounds.in_memory_max_bytes
        if small and slot.blob is not None and not content.body:
            content = await self._with_body(slot.blob, content)
        if content is not None and slot in self._index:
            self._memory.put(slot.number, content)
        return content

    async def _with_body(self, blob: str, content: Content) -> Content | None:
        try:
            chunks = [chunk async for chunk in self._disk.body(blob, 0, content.length)]
        except StorageError:
            return None
        return msgspec.structs.replace(content, body=b"".join(chunks))

    async def _write(self) -> None:
        await self.load()
        while True:
            await self._disk.work.wait()
            await asyncio.sleep(self._bounds.write_delay_s)
            await self.flush()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._bounds.sweep_every_s)
            self.sweep()
