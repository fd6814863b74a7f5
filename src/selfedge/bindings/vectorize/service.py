"""What Vectorize does, whoever asks.

A mutation is applied before it is answered, so its writer reads it at once.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from selfedge.bindings.vectorize.engine.contract import Engine, Hit, Vector
from selfedge.bindings.vectorize.index.index import Index
from selfedge.bindings.vectorize.index.model import (
    Info,
    Mutation,
    Operation,
    Query,
)
from selfedge.types import Clock, Notice

T = TypeVar("T")

_READERS = 4


@dataclass(frozen=True, slots=True)
class _Slot:
    """An index and the one thread that writes it, in the order of asking."""

    index: Index
    writer: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, "vectorize-writer")
    )


class VectorizeService:
    """All indexes under `home`; made inside the event loop that uses it."""

    def __init__(
        self,
        home: Path,
        *,
        engine: Callable[[], Engine],
        clock: Clock,
        notice: Notice,
        new_id: Callable[[], str],
        free_bytes: Callable[[], int],
    ) -> None:
        self._home = home
        self._engine = engine
        self._clock = clock
        self._tell = notice
        self._new_id = new_id
        self._free_bytes = free_bytes
        self._loop = asyncio.get_running_loop()
        self._readers = ThreadPoolExecutor(_READERS, "vectorize-reader")
        self._slots: dict[str, _Slot] = {}

    async def mutate(
        self,
        name: str,
        operation: Operation,
        *,
        vectors: Sequence[Vector] = (),
        ids: Sequence[str] = (),
    ) -> str:
        """Apply a write and return its mutation id; then it survives SIGKILL.

        Raises:
            WrongWidth: a vector is not as wide as the index; nothing is written.
            IndexFailed: the index is damaged, or the disk is full.
        """
        mutation = Mutation(
            id=self._new_id(), operation=operation, vectors=vectors, ids=ids
        )
        slot = self._slot(name)  # no await before the writer has it: order counts
        await self._run(slot.writer, partial(slot.index.write, mutation))
        return mutation.id

    async def query(self, name: str, query: Query) -> Sequence[Hit]:
        """Return what is near, nearest first.

        Raises:
            WrongQueryWidth: the query is not as wide as the index.
            UnknownVector: the query names a vector that is not there.
            IndexFailed: the index is damaged.
        """
        return await self._read(name, lambda index: index.query(query))

    async def get(self, name: str, ids: Sequence[str]) -> Sequence[Vector]:
        """Return the vectors that exist, in the order of `ids`."""
        return await self._read(name, lambda index: index.get(ids))

    async def describe(self, name: str) -> Info:
        """Return size, width and newest mutation."""
        return await self._read(name, Index.info)

    async def close(self) -> None:
        """Finish the writes in hand and release all indexes."""
        for slot in self._slots.values():
            await self._run(slot.writer, slot.index.close)
            slot.writer.shutdown()
        self._readers.shutdown()

    def _slot(self, name: str) -> _Slot:
        slot = self._slots.get(name)
        if slot is None:
            slot = self._slots[name] = _Slot(self._index(name))
        return slot

    async def _read(self, name: str, call: Callable[[Index], T]) -> T:
        slot = self._slot(name)
        if not slot.index.opened:
            await self._run(slot.writer, slot.index.open)
        return await self._run(self._readers, partial(call, slot.index))

    def _index(self, name: str) -> Index:
        return Index(
            name,
            self._home / quote(name, safe="").replace(".", "%2E"),
            engine=self._engine,
            clock=self._clock,
            notice=self._notice,
            free_bytes=self._free_bytes,
        )

    def _notice(self, line: str) -> None:
        """Tell the user, from a writer's thread."""
        self._loop.call_soon_threadsafe(self._tell, line)

    async def _run(self, where: ThreadPoolExecutor, call: Callable[[], T]) -> T:
        return await self._loop.run_in_executor(where, call)
