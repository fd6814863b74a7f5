"""One index: opened at its first use, made at its first vector.

All methods block. `open`, `write` (which opens) and `close` are called from one
thread, the index's writer; `query`, `get` and `info` from any, once it is open.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from selfedge.bindings.vectorize.engine.contract import (
    Engine,
    EngineFailure,
    Hit,
    Metric,
    Search,
    Shard,
    Vector,
)
from selfedge.bindings.vectorize.errors import (
    IndexFailed,
    UnknownVector,
    WrongQueryWidth,
    WrongWidth,
)
from selfedge.bindings.vectorize.index.files import (
    State,
    read_pending,
    read_state,
    write_pending,
    write_state,
)
from selfedge.bindings.vectorize.index.model import Info, Mutation, Query
from selfedge.bindings.vectorize.limits import DIMENSIONS_MAX
from selfedge.types import Clock, Notice

_ROOM_BYTES = 128 * 2**20  # the engine's files have holes, which writes fill later


class Index:
    """The index `name`, kept in `folder`."""

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        engine: Callable[[], Engine],
        clock: Clock,
        notice: Notice,
        free_bytes: Callable[[], int],
    ) -> None:
        self._name = name
        self._folder = folder
        self._engine = engine
        self._clock = clock
        self._notice = notice
        self._free_bytes = free_bytes
        self._state: State | None = None
        self._shard: Shard | None = None
        self._damage: IndexFailed | None = None
        self.opened = False

    def open(self) -> None:
        """Read what is on disk, and finish the write that a crash cut short.

        Raises:
            IndexFailed: the files are damaged, also at each later call; or the
                disk is nearly full.
        """
        if self._damage:
            raise self._damage
        if self.opened:
            return
        if self._folder.exists():
            self._check_room()
        try:
            self._load()
        except (EngineFailure, OSError, msgspec.MsgspecError) as cause:
            self._damage = self._damaged(str(cause))
            self._notice(str(self._damage))
            raise self._damage from cause
        self.opened = True

    def write(self, mutation: Mutation) -> None:
        """Apply `mutation`; once this returns it is durable and visible.

        Raises:
            WrongWidth: a vector is not as wide as the index; nothing is written.
            IndexFailed: it is damaged, or the disk is nearly full, or failing.
        """
        self.open()
        with self._failing("could not write"):
            self._check_room()
            shard = self._shard or self._made_for(mutation)
            if shard is None:
                return
            self._check_widths(mutation.vectors)
            pending = self._folder / "pending"
            cut = len(mutation.vectors) > 1
            try:
                if cut:
                    write_pending(pending, mutation)
                self._apply(shard, mutation)
            finally:
                if cut:
                    pending.unlink(missing_ok=True)

    def query(self, query: Query) -> Sequence[Hit]:
        """Return what is near, nearest first.

        Raises:
            WrongQueryWidth: the query is not as wide as the index.
            UnknownVector: the query names a vector that is not there.
            IndexFailed: the index is damaged.
        """
        if self._shard is None or self._state is None:
            return ()
        with self._failing("could not search"):
            values = query.values
            if query.vector_id is not None:
                found = self._shard.get([query.vector_id])
                if not found:
                    raise UnknownVector(query.vector_id)
                values = found[0].values
            width = len(values or ())
            if width != self._state.dimensions:
                raise WrongQueryWidth(expected=self._state.dimensions, got=width)
            search = Search(
                values=values or (),
                limit=query.top_k,
                namespace=query.namespace,
                conditions=query.conditions,
                exact=query.return_values,
                with_values=query.return_values,
            )
            return self._shard.search(search)

    def get(self, ids: Sequence[str]) -> Sequence[Vector]:
        """Return the vectors that exist, in the order of `ids`."""
        if self._shard is None:
            return ()
        with self._failing("could not read"):
            return self._shard.get(ids)

    def info(self) -> Info:
        """Describe the index as it is now."""
        state = self._state
        if self._shard is None or state is None:
            return Info()
        with self._failing("could not read"):
            return Info(
                vectors=self._shard.count(),
                dimensions=state.dimensions,
                processed_at=state.processed,
                processed=state.mutation,
            )

    def close(self) -> None:
        """Release the index; no call may follow."""
        shard, self._shard = self._shard, None
        try:
            if shard is not None:
                shard.close()
        except EngineFailure as cause:  # what was acknowledged is in the log
            self._notice(f"Vectorize index {self._name!r} did not close well: {cause}")

    def _load(self) -> None:
        self._state = read_state(self._folder / "index.json")
        shard = self._folder / "shard"
        if self._state is None:
            if shard.exists():
                raise EngineFailure("index.json is missing")
            return
        self._shard = self._make_or_load(self._state, shard)
        pending = self._folder / "pending"
        if mutation := read_pending(pending):
            self._apply(self._shard, mutation)
            pending.unlink()

    def _make_or_load(self, state: State, folder: Path) -> Shard:
        make = self._engine().load
        if state.mutation is None:  # new, or a crash cut its making short
            shutil.rmtree(folder, ignore_errors=True)
            make = self._engine().create
        return make(folder, dimensions=state.dimensions, metric=state.metric)

    def _made_for(self, mutation: Mutation) -> Shard | None:
        """Make the index as wide as its first vector; a delete makes none."""
        if not mutation.vectors:
            return None
        first = mutation.vectors[0]
        width = len(first.values)
        if not 1 <= width <= DIMENSIONS_MAX:
            raise WrongWidth(first.id, expected=f"1 to {DIMENSIONS_MAX}", got=width)
        self._check_widths(mutation.vectors, width)
        self._folder.mkdir(parents=True, exist_ok=True)
        state = State(
            name=self._name,
            dimensions=width,
            metric=Metric.COSINE,
            created=self._now(),
        )
        write_state(self._folder / "index.json", state)
        self._shard = self._make_or_load(state, self._folder / "shard")
        self._state = state
        self._notice(
            f"Vectorize index {self._name!r} did not exist: made with"
            f" {width} dimensions, as its first vector has, and metric cosine"
        )
        return self._shard

    def _apply(self, shard: Shard, mutation: Mutation) -> None:
        if mutation.operation == "insert":
            shard.insert(mutation.vectors)
        elif mutation.operation == "upsert":
            shard.upsert(mutation.vectors)
        else:
            shard.delete(mutation.ids)
        if self._state is not None:
            self._state = msgspec.structs.replace(
                self._state, mutation=mutation.id, processed=self._now()
            )
            write_state(self._folder / "index.json", self._state)

    def _check_widths(
        self, vectors: Sequence[Vector], expected: int | None = None
    ) -> None:
        if expected is None:
            expected = self._state.dimensions if self._state else 0
        for vector in vectors:
            if len(vector.values) != expected:
                got = len(vector.values)
                raise WrongWidth(vector.id, expected=str(expected), got=got)

    def _check_room(self) -> None:
        """Keep away from a full disk: there, the engine's process is killed."""
        free = self._free_bytes()
        if free < _ROOM_BYTES:
            raise IndexFailed(
                self._name,
                f"needs {_ROOM_BYTES // 2**20} MiB of free disk,"
                f" and {free // 2**20} MiB are left; nothing was written",
            )

    def _now(self) -> str:
        now = datetime.fromtimestamp(self._clock(), UTC)
        return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @contextmanager
    def _failing(self, what: str) -> Iterator[None]:
        try:
            yield
        except (EngineFailure, OSError) as cause:
            raise IndexFailed(self._name, f"{what}: {cause}") from cause

    def _damaged(self, reason: str) -> IndexFailed:
        return IndexFailed(
            self._name,
            f"is damaged: {reason}; stop selfedge, then restore the folder"
            f" {self._folder} from a backup or delete it to begin anew",
        )
