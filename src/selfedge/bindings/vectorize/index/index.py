"""One index: opened at its first use; made when asked for, or at its first vector.

All methods block. `query`, `get`, `info` and `page` are called from any thread, once
it is open; everything else from one thread, the index's writer.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from selfedge.bindings.vectorize.engine.contract import (
    Engine,
    EngineDied,
    EngineFailure,
    Metric,
    Page,
    Shard,
    Vector,
)
from selfedge.bindings.vectorize.errors import (
    DuplicateIndex,
    IndexFailed,
    UnknownIndex,
    WrongWidth,
)
from selfedge.bindings.vectorize.index import damage, fields, queries
from selfedge.bindings.vectorize.index.checks import check_room, check_widths
from selfedge.bindings.vectorize.index.files import (
    State,
    read_pending,
    read_state,
    write_pending,
    write_state,
)
from selfedge.bindings.vectorize.index.model import (
    Config,
    Info,
    Mutation,
    Query,
)
from selfedge.bindings.vectorize.index.queries import Found
from selfedge.bindings.vectorize.index.touched import Touched
from selfedge.bindings.vectorize.limits import DIMENSIONS_MAX
from selfedge.types import Clock, Notice


class Index:
    """The index `name`, kept in `folder`."""

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        engine: Engine,
        clock: Clock,
        notice: Notice,
        free_bytes: Callable[[], int],
    ) -> None:
        self.name = name
        self.folder = folder
        self.engine = engine
        self._clock = clock
        self._notice = notice
        self._free_bytes = free_bytes
        self._state: State | None = None
        self._shard: Shard | None = None
        self._damage: IndexFailed | None = None
        self._looked = False
        self.touched = Touched()

    @property
    def opened(self) -> bool:
        """Whether reads can be served; an index that does not exist can be open."""
        return self._looked and (self._shard is None or self._shard.alive)

    @property
    def state(self) -> State | None:
        """What the index is; None when it does not exist."""
        return self._state

    @property
    def shard(self) -> Shard | None:
        """What holds the vectors now."""
        return self._shard

    def open(self) -> None:
        """Read what is on disk, and finish the write that a crash cut short.

        Raises:
            IndexFailed: the files are damaged, also at each later call; or they
                cannot be opened now.
            EngineDied: the engine's process was killed; opening again may succeed.
        """
        if self._damage:
            raise self._damage
        if self.opened:
            return
        self.release()
        if self.folder.exists():
            self.check_room()
        try:
            self._load()
        except (EngineFailure, OSError, msgspec.MsgspecError, IndexFailed) as cause:
            if not damage.is_shown_by(cause):
                if isinstance(cause, EngineDied):
                    raise
                reason = f"could not be opened: {cause}"
                raise IndexFailed(self.name, reason) from cause
            self._damage = damage.found(self.name, self.folder, cause)
            self._notice(str(self._damage))
            raise self._damage from cause
        self._looked = True

    def make(self, config: Config) -> State:
        """Make the index.

        Raises:
            DuplicateIndex: it is there.
            IndexFailed: it is there and damaged, or the disk is nearly full.
        """
        self.open()
        if self._state is not None:
            raise DuplicateIndex(self.name)
        with self._failing("could not be made"):
            self.check_room()
            self.folder.mkdir(parents=True, exist_ok=True)
            state = State(
                name=self.name,
                dimensions=config.dimensions,
                metric=config.metric,
                description=config.description,
                created=self.now(),
                modified=self.now(),
            )
            write_state(self.folder / "index.json", state)
            self._shard = self._make_or_load(state)
            self._state = state
        return state

    def destroy(self) -> None:
        """Remove the index, and free its disk."""
        self.release()
        self.touched.forget()
        self._state = self._damage = None
        with self._failing("could not be deleted"):
            doomed = self.folder.with_name(f".deleted-{self.folder.name}")
            shutil.rmtree(doomed, ignore_errors=True)
            self.folder.rename(doomed)
            shutil.rmtree(doomed)

    def write(self, mutation: Mutation) -> None:
        """Apply `mutation`; once this returns it is durable and visible.

        Raises:
            WrongWidth: a vector is not as wide as the index; nothing is written.
            IndexFailed: it is damaged, or the disk is nearly full, or failing.
        """
        self.again(lambda: self._write(mutation), "could not write")

    def change_fields(self, mutation_id: str, change: Callable[[State], State]) -> None:
        """Make or delete metadata indexes; `change` may refuse."""
        self.again(
            lambda: self._change_fields(mutation_id, change), "could not be changed"
        )

    def again(self, call: Callable[[], None], what: str) -> None:
        """Open, then `call`; twice if the engine's process dies the first time."""
        for attempt in (1, 2, 3):
            try:
                self.open()
                with self._failing(what):
                    call()
            except EngineDied as cause:
                if attempt == 3:
                    raise IndexFailed(self.name, f"{what}: {cause}") from cause
            else:
                return

    def query(self, asked: Sequence[Query]) -> Sequence[Found]:
        """Return for each what is near, nearest first, or why it was refused.

        Raises:
            EngineDied: the engine's process is gone; open again.
        """
        shard, state = self._shard, self._state
        if shard is None or state is None:
            return [()] * len(asked)
        return queries.answered(self.name, shard, state, asked)

    def get(self, ids: Sequence[str]) -> Sequence[Vector]:
        """Return the vectors that exist, in the order of `ids`."""
        shard = self._shard
        if shard is None:
            return ()
        with self._failing("could not read"):
            return shard.get(ids)

    def page(self, start: str | None, limit: int) -> tuple[Page, int]:
        """Return a page of ids, and how many vectors there are."""
        shard = self._shard
        if shard is None:
            return Page((), None), 0
        with self._failing("could not read"):
            return shard.page(start, limit), shard.count()

    def info(self) -> Info:
        """Describe the index as it is now."""
        state, shard = self._state, self._shard
        if shard is None or state is None:
            return Info()
        with self._failing("could not read"):
            return Info(
                vectors=shard.count(),
                dimensions=state.dimensions,
                processed_at=state.processed,
                processed=state.mutation,
            )

    def release(self) -> None:
        """Close the shard; the next `open` loads it again."""
        self._looked = False
        shard, self._shard = self._shard, None
        try:
            if shard is not None:
                shard.close()
        except EngineDied:
            pass  # what was acknowledged is in the log
        except EngineFailure as cause:
            self._notice(f"Vectorize index {self.name!r} did not close well: {cause}")

    def swap(self, shard: Shard, folder: str) -> Shard | None:
        """Use `shard`, which holds the same vectors; return the old one, open."""
        if self._state is None:
            raise EngineFailure("the index is gone")
        state = msgspec.structs.replace(self._state, shard=folder)
        write_state(self.folder / "index.json", state)
        old = self._shard
        self._state, self._shard = state, shard
        return old

    def check_room(self) -> None:
        """Raise IndexFailed when the disk is nearly full."""
        check_room(self.name, self._free_bytes())

    def now(self) -> str:
        """Return the time as the API writes it."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _write(self, mutation: Mutation) -> None:
        self.check_room()
        shard = self._shard or self._made_for(mutation)
        if shard is None:
            return
        check_widths(mutation.vectors, self._state.dimensions if self._state else 0)
        pending = self.folder / "pending"
        cut = len(mutation.vectors) > 1
        if cut:
            write_pending(pending, mutation)
        try:
            self._apply(shard, mutation)
        except EngineDied:
            raise  # `pending` is applied when the shard is loaded
        except BaseException:
            pending.unlink(missing_ok=True)
            raise
        if cut:
            pending.unlink(missing_ok=True)

    def _change_fields(
        self, mutation_id: str, change: Callable[[State], State]
    ) -> None:
        state, shard = self._state, self._shard
        if state is None or shard is None:
            raise UnknownIndex(self.name)
        changed = change(state)
        self.check_room()
        for index in set(changed.indexes) - set(state.indexes):
            shard.add_field(index.field, index.index_type)
        self._state = msgspec.structs.replace(
            changed, mutation=mutation_id, processed=self.now(), modified=self.now()
        )
        write_state(self.folder / "index.json", self._state)
        self.touched.forget()  # a copy that is being made lacks the change
        for index in set(state.indexes) - set(changed.indexes):
            shard.drop_field(index.field)

    def _load(self) -> None:
        self._state = read_state(self.folder / "index.json")
        if self._state is None:
            if (self.folder / "shard").exists():
                raise EngineFailure("index.json is missing")
            return
        if self._state.damage:
            raise damage.told(self.name, self.folder, self._state.damage)
        for other in self.folder.glob("shard*"):
            if other.name != self._state.shard:
                shutil.rmtree(other, ignore_errors=True)
        self._shard = self._make_or_load(self._state)
        pending = self.folder / "pending"
        if mutation := read_pending(pending):
            self._apply(self._shard, mutation)
            pending.unlink()

    def _make_or_load(self, state: State) -> Shard:
        make, folder = self.engine.load, self.folder / state.shard
        if state.mutation is None:  # new, or a crash cut its making short
            shutil.rmtree(folder, ignore_errors=True)
            make = self.engine.create
        return make(folder, dimensions=state.dimensions, metric=state.metric)

    def _made_for(self, mutation: Mutation) -> Shard | None:
        """Make the index as wide as its first vector; a delete makes none."""
        if not mutation.vectors:
            return None
        first = mutation.vectors[0]
        width = len(first.values)
        if not 1 <= width <= DIMENSIONS_MAX:
            raise WrongWidth(first.id, expected=f"1 to {DIMENSIONS_MAX}", got=width)
        check_widths(mutation.vectors, width)
        self.make(Config(dimensions=width, metric=Metric.COSINE))
        self._notice(
            f"Vectorize index {self.name!r} did not exist: made with"
            f" {width} dimensions, as its first vector has, and metric cosine"
        )
        return self._shard

    def _apply(self, shard: Shard, mutation: Mutation) -> None:
        if self._state is None:
            raise EngineFailure("the index is gone")
        vectors = fields.with_fields(mutation.vectors, self._state.indexes)
        if mutation.operation == "insert":
            shard.insert(vectors)
        elif mutation.operation == "upsert":
            shard.upsert(vectors)
        else:
            shard.delete(mutation.ids)
        self.touched.add([vector.id for vector in vectors] or mutation.ids)
        self._state = msgspec.structs.replace(
            self._state, mutation=mutation.id, processed=self.now()
        )
        write_state(self.folder / "index.json", self._state)

    @contextmanager
    def _failing(self, what: str) -> Iterator[None]:
        try:
            yield
        except EngineDied:
            raise
        except (EngineFailure, OSError) as cause:
            raise IndexFailed(self.name, f"{what}: {cause}") from cause
