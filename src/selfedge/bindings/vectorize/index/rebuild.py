"""A copy of an index, sorted into a graph, made while the index serves.

The copy is made page by page in a process that gives way to others, optimised
there, loaded by a process of its own, brought up to date with what was written
meanwhile, and put in the old one's place: only its last few vectors are written
while other writes wait.
"""

import shutil
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from selfedge.bindings.vectorize.engine.contract import EngineFailure, Shard
from selfedge.bindings.vectorize.index.files import State
from selfedge.bindings.vectorize.index.index import Index

PAGE = 64  # vectors; reading some holds the serving process up for 5 ms
FEW = 32  # so many may be written while writers wait
ROUNDS_MAX = 20
SORTED_BYTES = 16 * 2**20  # the engine sorts no less
UNSORTED_SHARE = 0.25

OnWriter: TypeAlias = Callable[[Callable[[], None]], None]
"""Runs a call on the index's writer thread, and waits for it."""


def _discard(old: Shard | None, folder: Path) -> None:
    """Close what no new call reaches, and free its disk."""
    with suppress(EngineFailure):
        if old is not None:
            old.close()
    shutil.rmtree(folder, ignore_errors=True)


def is_due(index: Index) -> bool:
    """Whether enough vectors are outside the graph."""
    shard, state = index.shard, index.state
    if shard is None or state is None:
        return False
    unsorted = shard.unsorted()
    share = unsorted >= UNSORTED_SHARE * shard.count()
    return share and unsorted * state.dimensions * 4 >= SORTED_BYTES


class Rebuild:
    """One run; `stop` ends it from another thread."""

    def __init__(self, index: Index, on_writer: OnWriter) -> None:
        self._index = index
        self._on_writer = on_writer
        self._stopped = threading.Event()
        self._copied: Shard | None = None

    def stop(self) -> None:
        """Give up; the index stays as it is."""
        self._stopped.set()
        if kill := getattr(self._copied, "kill", None):
            kill()

    def run(self) -> bool:
        """Return whether the index is now on the copy.

        Raises:
            EngineFailure, OSError: the copy could not be made; nothing is changed.
        """
        index = self._index
        self._on_writer(index.touched.watch)
        state, shard = index.state, index.shard
        if state is None or shard is None:
            return False
        number = int(state.shard.removeprefix("shard").removeprefix("-") or 0) + 1
        name = f"shard-{number}"
        shutil.rmtree(index.folder / name, ignore_errors=True)
        swapped = False
        try:
            swapped = self._copy(state, shard, name) and self._replace(state, name)
        finally:
            if not swapped:
                self._on_writer(index.touched.forget)
                shutil.rmtree(index.folder / name, ignore_errors=True)
        return swapped

    def _copy(self, state: State, shard: Shard, name: str) -> bool:
        index = self._index
        index.check_room()
        engine = index.engine.background()
        self._copied = copy = engine.create(
            index.folder / name, dimensions=state.dimensions, metric=state.metric
        )
        try:
            for one in state.indexes:
                copy.add_field(one.field, one.index_type)
            start = None
            while not self._stopped.is_set():
                page = shard.page(start, PAGE, whole=True)
                if page.vectors:
                    copy.upsert(page.vectors)
                if (start := page.following) is None:
                    break
            current = self._catch_up(copy)
            copy.optimize()
        finally:
            copy.close()
        return current and not self._stopped.is_set()

    def _replace(self, state: State, name: str) -> bool:
        index = self._index
        fresh = index.engine.load(
            index.folder / name, dimensions=state.dimensions, metric=state.metric
        )
        done, old = False, None

        def swap() -> None:
            nonlocal done, old
            touched = index.touched.take()
            if touched is not None and index.opened:
                self._bring(fresh, touched)
                old = index.swap(fresh, name)
                done = True

        try:
            if self._catch_up(fresh) and not self._stopped.is_set():
                self._on_writer(swap)
        finally:
            if not done:
                fresh.close()
        if done:
            _discard(old, index.folder / state.shard)
        return done

    def _catch_up(self, copy: Shard) -> bool:
        """Write what was written to the index; False if it changed otherwise."""
        for _ in range(ROUNDS_MAX):
            touched = self._index.touched.take()
            if touched is None:
                return False
            self._bring(copy, touched)
            if len(touched) <= FEW:
                return True
        return True

    def _bring(self, copy: Shard, ids: Collection[str]) -> None:
        shard = self._index.shard
        if shard is None:
            raise EngineFailure("the index is gone")
        names = sorted(ids)
        for start in range(0, len(names), PAGE):
            some = names[start : start + PAGE]
            found = shard.get(some)
            if found:
                copy.upsert(found)
            there = {vector.id for vector in found}
            if absent := [name for name in some if name not in there]:
                copy.delete(absent)
