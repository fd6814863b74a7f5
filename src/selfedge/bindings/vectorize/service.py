"""What Vectorize does, whoever asks.

A mutation is applied before it is answered, so its writer reads it at once.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, unquote

import msgspec

from selfedge.bindings.vectorize import limits
from selfedge.bindings.vectorize.engine.contract import (
    Engine,
    EngineDied,
    FieldType,
    Hit,
    Vector,
)
from selfedge.bindings.vectorize.errors import IndexFailed, IndexRefused, UnknownIndex
from selfedge.bindings.vectorize.index import metadata_indexes
from selfedge.bindings.vectorize.index.files import State, read_state
from selfedge.bindings.vectorize.index.index import Index
from selfedge.bindings.vectorize.index.model import (
    Config,
    Described,
    Info,
    Listing,
    MetadataIndex,
    Mutation,
    Operation,
    Query,
)
from selfedge.bindings.vectorize.index.slot import Slot
from selfedge.types import Clock, Notice

T = TypeVar("T")

_ATTEMPTS = 3


class VectorizeService:
    """All indexes under `home`; made inside the event loop that uses it."""

    def __init__(
        self,
        home: Path,
        *,
        engine: Engine,
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
        self._slots: dict[str, Slot] = {}
        self._building = asyncio.Lock()  # one at a time: it takes nearly all cores
        for rest in home.glob(".deleted-*"):
            shutil.rmtree(rest, ignore_errors=True)

    async def create(self, name: str, config: Config) -> Described:
        """Make the index `name`.

        Raises:
            DuplicateIndex, IndexRefused, IndexFailed: as they say.
        """
        if len(self._names()) >= limits.INDEXES_MAX:
            raise IndexRefused(f"there are {limits.INDEXES_MAX} indexes; delete one")
        slot = self._slot(name)
        return _described(await slot.write(partial(slot.index.make, config)))

    async def indexes(self) -> Sequence[Described]:
        """Describe all indexes, by name."""
        return await asyncio.to_thread(self._all)

    async def index(self, name: str) -> Described:
        """Describe the index `name`.

        Raises:
            UnknownIndex: there is none.
        """
        state = await asyncio.to_thread(self._state, name)
        if state is None:
            raise UnknownIndex(name)
        return _described(state)

    async def delete(self, name: str) -> None:
        """Remove the index `name`, and free its disk.

        Raises:
            UnknownIndex: there is none.
        """
        await self.check(name)
        slot = self._slot(name)
        await slot.stop()
        await slot.write(slot.index.destroy)
        if self._slots.get(name) is slot:
            del self._slots[name]
        await slot.close()

    async def check(self, name: str) -> None:
        """Make sure that the index exists.

        Raises:
            UnknownIndex: there is none.
        """
        if not (self._folder(name) / "index.json").exists():
            raise UnknownIndex(name)

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
        await slot.write(partial(slot.index.write, mutation))
        return mutation.id

    async def query(self, name: str, query: Query) -> Sequence[Hit]:
        """Return what is near, nearest first.

        Raises:
            WrongQueryWidth: the query is not as wide as the index.
            UnknownVector: the query names a vector that is not there.
            IndexFailed: the index is damaged.
        """
        self._warn_of_filters(name, query)
        return await self._again(name, lambda slot: slot.query(query))

    async def get(self, name: str, ids: Sequence[str]) -> Sequence[Vector]:
        """Return the vectors that exist, in the order of `ids`."""
        return await self._read(name, lambda index: index.get(ids))

    async def page(self, name: str, cursor: str | None, limit: int) -> Listing:
        """Return the ids from `cursor` on."""
        page, total = await self._read(name, lambda index: index.page(cursor, limit))
        ids = [vector.id for vector in page.vectors]
        return Listing(ids=ids, total=total, following=page.following)

    async def describe(self, name: str) -> Info:
        """Return size, width and newest mutation."""
        return await self._read(name, Index.info)

    async def metadata_indexes(self, name: str) -> Sequence[MetadataIndex]:
        """Return the metadata indexes, oldest first."""
        state = await self._read(name, lambda index: index.state)
        return state.indexes if state else ()

    async def add_metadata_index(self, name: str, path: str, kind: FieldType) -> str:
        """Let filters look at `path` of what is written from now on.

        Raises:
            MetadataIndexRefused: it is there, or there are 10.
        """
        return await self._change(name, metadata_indexes.added(path, kind))

    async def drop_metadata_index(self, name: str, path: str) -> str:
        """Let filters no longer look at `path`.

        Raises:
            MetadataIndexRefused: there is none.
        """
        return await self._change(name, metadata_indexes.dropped(path))

    async def compact(self, name: str) -> bool:
        """Write the index anew, sorted and without what was deleted."""
        await self._read(name, lambda _: None)
        return await self._slot(name).rebuild(forced=True)

    async def close(self) -> None:
        """Finish the writes in hand and release all indexes."""
        await asyncio.gather(*(slot.stop() for slot in self._slots.values()))
        for slot in self._slots.values():
            await slot.close()
        await asyncio.to_thread(self._engine.close)

    async def _change(self, name: str, change: Callable[[State], State]) -> str:
        slot, mutation_id = self._slot(name), self._new_id()
        await slot.write(partial(slot.index.change_fields, mutation_id, change))
        return mutation_id

    async def _read(self, name: str, call: Callable[[Index], T]) -> T:
        return await self._again(name, lambda slot: slot.read(call))

    async def _again(self, name: str, call: Callable[[Slot], Awaitable[T]]) -> T:
        slot = self._slot(name)
        cause: EngineDied | None = None
        for _ in range(_ATTEMPTS):
            try:
                return await call(slot)
            except EngineDied as error:
                cause = error
        raise IndexFailed(name, f"could not read: {cause}") from cause

    def _slot(self, name: str) -> Slot:
        slot = self._slots.get(name)
        if slot is None:
            slot = self._slots[name] = Slot(
                self._index(name), self._notice, self._building
            )
        return slot

    def _index(self, name: str) -> Index:
        return Index(
            name,
            self._folder(name),
            engine=self._engine,
            clock=self._clock,
            notice=self._notice,
            free_bytes=self._free_bytes,
        )

    def _folder(self, name: str) -> Path:
        most = limits.INDEX_NAME_MAX_BYTES
        if len(name.encode()) > most:  # no folder could be called so
            raise UnknownIndex(name[:most])
        return self._home / quote(name, safe="").replace(".", "%2E")

    def _names(self) -> Sequence[str]:
        found = self._home.glob("*/index.json")
        return sorted(
            unquote(path.parent.name)
            for path in found
            if not path.parent.name.startswith(".")
        )

    def _all(self) -> Sequence[Described]:
        states = (self._state(name) for name in self._names())
        return [_described(state) for state in states if state]

    def _state(self, name: str) -> State | None:
        try:
            return read_state(self._folder(name) / "index.json")
        except (OSError, msgspec.MsgspecError) as cause:
            raise IndexFailed(name, f"cannot be read: {cause}") from cause

    def _warn_of_filters(self, name: str, query: Query) -> None:
        slot = self._slot(name)
        state = slot.index.state
        if state is None:
            return
        known = {index.property_name for index in state.indexes}
        for one in query.conditions:
            if one.path not in known and one.path not in slot.warned:
                slot.warned.add(one.path)
                self._tell(
                    f"Vectorize index {name!r}: a filter names {one.path!r}, which has"
                    " no metadata index, so no vector has it; make one, then write the"
                    f" vectors again: selfedge vectorize create-metadata-index {name}"
                    f" --property-name {one.path} --type string"
                )

    def _notice(self, line: str) -> None:
        """Tell the user, from a writer's thread."""
        self._loop.call_soon_threadsafe(self._tell, line)


def _described(state: State) -> Described:
    return Described(
        name=state.name,
        config=Config(
            dimensions=state.dimensions,
            metric=state.metric,
            description=state.description,
        ),
        created=state.created,
        modified=state.modified or state.created,
    )
