"""The models in memory: loaded at their first call, unloaded to make room, or idle."""

import asyncio
import ctypes
import gc
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TypeAlias, cast

import msgspec

from selfedge.bindings.ai.errors import InferenceFailed, NoSuchModel
from selfedge.bindings.ai.runners import RUNNERS
from selfedge.bindings.ai.runners.contract import Load, Runner, Source
from selfedge.packages import cache

GIGABYTE = 1e9
SLOW_S = 1.0
"""A load that takes longer is told of; most do not."""

PROGRESS_S = 3.0
SWEEPS = 4  # looks at idle models, within the time that makes them idle

_FETCH_AGAIN = " If its files are damaged, remove the folder; the next call fetches it."

Key: TypeAlias = tuple[str, str, tuple[tuple[str, str], ...]]
Tell: TypeAlias = Callable[[str], None]
"""Says one line to the user."""


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What the models of a host may take."""

    threads: int
    budget_bytes: int
    idle_s: float = 15 * 60


@dataclass(slots=True)
class Loaded:
    """One model in memory."""

    runner: Runner
    size_bytes: int
    users: int = 0
    used_at: float = field(default_factory=time.monotonic)


class Models:
    """Hands out runners; those in use are never unloaded."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._loaded: dict[Key, Loaded] = {}
        self._arriving: dict[Key, asyncio.Task[None]] = {}
        self._loading = asyncio.Lock()
        self._freed = asyncio.Condition()

    @asynccontextmanager
    async def use(self, name: str, source: Source, tell: Tell) -> AsyncIterator[Runner]:
        """Lend the runner `name` with the model at `source`.

        Raises:
            AiError: it cannot be loaded, or is larger than the whole budget.
        """
        key = (name, source.location, tuple(sorted(source.options.items())))
        while (model := self._loaded.get(key)) is None:
            await self._arrival(key, source, tell)
        model.users += 1
        try:
            yield model.runner
        finally:
            model.users -= 1
            model.used_at = time.monotonic()
            async with self._freed:
                self._freed.notify_all()

    async def sweep(self) -> None:
        """Unload models that nobody asks for, for as long as the host lives."""
        while True:
            await asyncio.sleep(self._room.idle_s / SWEEPS)
            since = time.monotonic() - self._room.idle_s
            for key, model in list(self._loaded.items()):
                if model.users == 0 and model.used_at < since:
                    await self._unload(key)

    async def _arrival(self, key: Key, source: Source, tell: Tell) -> None:
        """Await the load; a caller that leaves does not stop it."""
        task = self._arriving.get(key)
        if task is None:
            task = asyncio.create_task(self._arrive(key, source, tell))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._arriving[key] = task
        await asyncio.shield(task)

    async def _arrive(self, key: Key, source: Source, tell: Tell) -> None:
        try:
            async with self._loading:  # one at a time, so that growth can be measured
                wanted = await asyncio.to_thread(_size, source)
                await self._make_room(wanted, source)
                self._loaded[key] = await self._load(key, source, wanted, tell)
        finally:
            del self._arriving[key]

    async def _make_room(self, wanted: int, source: Source) -> None:
        budget = self._room.budget_bytes
        if wanted > budget:
            raise NoSuchModel(
                f"No such model that fits: {source.location} needs "
                f"{wanted / GIGABYTE:.1f} GB of memory, and models may take "
                f"{budget / GIGABYTE:.1f} GB here"
            )
        while sum(m.size_bytes for m in self._loaded.values()) + wanted > budget:
            idle = [key for key, model in self._loaded.items() if model.users == 0]
            if idle:
                await self._unload(min(idle, key=lambda k: self._loaded[k].used_at))
            elif self._loaded:
                async with self._freed:
                    await self._freed.wait()
            else:
                return

    async def _load(self, key: Key, source: Source, wanted: int, tell: Tell) -> Loaded:
        before = resident_bytes()
        with _progress(source, wanted, before, tell):
            runner = await asyncio.to_thread(self._read, key[0], source)
        grown = resident_bytes() - before
        return Loaded(runner, min(max(wanted, grown), self._room.budget_bytes))

    def _read(self, name: str, source: Source) -> Runner:
        module, _, attribute = RUNNERS[name].load.partition(":")
        try:
            load = cast("Load", getattr(import_module(module), attribute))
            return load(source, self._room.threads)
        except Exception as error:
            fetched = cache.is_complete(source.path)  # by us, not the user's own
            raise InferenceFailed(
                f"{source.location} could not be loaded: {error}."
                f"{_FETCH_AGAIN if fetched else ''}"
            ) from error

    async def _unload(self, key: Key) -> None:
        model = self._loaded.pop(key)
        await model.runner.close()
        del model
        await asyncio.to_thread(_give_back)


class _progress:  # noqa: N801 - a context manager, used like a function
    """Tells how far a load is, when it takes long."""

    def __init__(self, source: Source, wanted: int, before: int, tell: Tell) -> None:
        self._name = source.location
        self._wanted = wanted
        self._before = before
        self._tell = tell
        self._began = time.monotonic()
        self._told = False
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(SLOW_S, self._tick)

    def __exit__(self, *_error: object) -> None:
        if self._timer:
            self._timer.cancel()
        if self._told:
            took = time.monotonic() - self._began
            self._say(f"Loading {self._name}: done, {took:.1f} s")

    def _say(self, line: str) -> None:
        with suppress(RuntimeError, OSError):  # who asked may have gone; others wait
            self._tell(line)

    def _tick(self) -> None:
        self._told = True
        share = (resident_bytes() - self._before) / max(self._wanted, 1)
        percent = max(0, min(99, int(100 * share)))
        size = f"{self._wanted / GIGABYTE:.1f} GB"
        self._say(f"Loading {self._name} ({size}): {percent} %")
        self._timer = asyncio.get_running_loop().call_later(PROGRESS_S, self._tick)


def resident_bytes() -> int:
    """Return what this process takes of the memory; 0 where that is not told."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * 4096


def _size(source: Source) -> int:
    """Return the size of the files; nothing, when they are elsewhere."""
    if source.path.is_file():
        return source.path.stat().st_size
    return sum(f.stat().st_size for f in source.path.rglob("*") if f.is_file())


def _give_back() -> None:
    gc.collect()
    if sys.platform == "linux":  # the allocator keeps what was freed, unless told
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
