"""The processes of one group of Workers: release, restart, stop."""

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path

from selfedge.supervisor.door import Door, Sockets
from selfedge.supervisor.launch import Launch
from selfedge.supervisor.process import Hear
from selfedge.supervisor.slot import DURABLE_DRAIN_S, Release, Slot, Tally
from selfedge.supervisor.watchdog import Guard, Start
from selfedge.types import Struct

Encode = Callable[[Struct], bytes]
Make = Callable[[str], Release]


class Group:
    """Workers that share a process, behind one door."""

    def __init__(
        self,
        door: Door,
        *,
        launch: Launch,
        encode: Encode,
        run_dir: Path,
        hear: Hear,
        watchdog: Callable[[Start], Guard],
        tally: Tally | None = None,
    ) -> None:
        self._door = door
        self._launch = launch
        self._encode = encode
        self._run_dir = run_dir
        self._tally = tally
        self._hear = hear
        self._generations = itertools.count(1)
        self._current: Slot | None = None
        self._watchdog = watchdog(self._start)
        self._slots: set[Slot] = set()  # all that have a process or clients
        self._leaving: dict[asyncio.Task[None], Slot] = {}
        self._lock = asyncio.Lock()

    @property
    def current(self) -> Slot | None:
        """Where clients are led to."""
        return self._current

    async def release(self, make: Make) -> None:
        """Put what `make` describes in place of what runs; lose no request.

        `make` gets the address of the process that will come after it.

        Raises:
            EngineError: it did not start. Without Durable Objects, what ran
                before goes on; with them, clients wait for the next release.
        """
        async with self._lock:
            slot, old = await self._next(make)
            try:
                if old is None or old.process is None:
                    await self._lead_to(slot, old)
                    await self._start(slot)
                elif old.release.durable and slot.release.durable:
                    await self._replace(slot, old)
                else:
                    await self._overlap(slot, old)
            finally:
                if self._current is not None:
                    self._watchdog.guard(self._current)

    async def prepare(self, make: Make) -> None:
        """Have clients wait at what `make` describes; the watchdog starts it."""
        async with self._lock:
            slot, old = await self._next(make)
            if old is not None and old.process is not None:
                await old.leave()
            await self._lead_to(slot, old)
            self._watchdog.guard(slot)

    async def _next(self, make: Make) -> tuple[Slot, Slot | None]:
        """Return a fresh slot and the one that is current, which nobody guards now."""
        generation = next(self._generations)
        successor = self._base(generation + 1).with_suffix(".forward")
        release = make(f"unix:{successor}")
        await self._watchdog.rest()
        old = self._current
        if old is not None and (old.hung or old.ended):
            await self._give_up(old)
        sockets = self._sockets(release, old)
        slot = Slot(release, sockets, self._base(generation), self._tally)
        self._slots.add(slot)
        return slot, old

    async def take(self) -> None:
        """Take what all processes have counted."""
        await asyncio.gather(*(slot.take() for slot in self._slots))

    async def stop(self, within_s: float = DURABLE_DRAIN_S) -> None:
        """Stop all processes; what is under way gets `within_s`."""
        await self._watchdog.rest()
        if self._current is not None:
            await self._current.leave(within_s)
        for task in self._leaving:
            task.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)
        for slot in list(self._slots):
            await slot.kill()
            self._discard(slot)
        self._door.close_all()

    def _sockets(self, release: Release, old: Slot | None) -> Sockets:
        """Return sockets for a process; those in which clients wait, if it fits."""
        waiting = old is not None and old.process is None
        if old is not None and waiting and set(old.clients) == set(release.clients):
            return old.clients
        return self._door.open(release.clients)

    async def _lead_to(self, slot: Slot, waiting: Slot | None) -> None:
        """Lead clients to `slot`; those who wait in its sockets stay there."""
        self._current = slot
        slot.admit()
        await self._door.steer(slot.clients)
        if waiting is not None:
            waiting.close()
            self._slots.discard(waiting)
            if waiting.clients is not slot.clients:
                self._door.close(waiting.clients)

    async def _overlap(self, slot: Slot, old: Slot) -> None:
        """Let the old process finish beside the new one."""
        try:
            await self._start(slot)
        except BaseException:
            self._discard(slot)
            raise
        self._current = slot
        slot.admit()
        await self._door.steer(slot.clients)
        self._let_go(old)

    async def _replace(self, slot: Slot, old: Slot) -> None:
        """Have clients wait in the new socket while the old process gives way."""
        self._current = slot
        slot.admit()
        await self._door.steer(slot.clients)
        await old.leave()
        self._discard(old)
        await self._start(slot)

    async def _start(self, slot: Slot) -> None:
        if slot.release.durable:  # never two owners of one Durable Object
            owners = [
                task for task, old in self._leaving.items() if old.release.durable
            ]
            await asyncio.gather(*owners, return_exceptions=True)
        config = self._encode(slot.release.config)
        await slot.start(self._launch, config, self._hear)

    async def _give_up(self, hung: Slot) -> None:
        """End a process in a loop; its clients wait for the successor."""
        await hung.kill()
        hung.process = None

    def _let_go(self, old: Slot) -> None:
        predecessors = frozenset(self._leaving)

        async def end() -> None:
            try:
                if old.release.durable:
                    await old.leave()
                else:
                    await old.drain(predecessors)
            finally:
                await old.kill()
                self._discard(old)

        task = asyncio.create_task(end())
        self._leaving[task] = old
        task.add_done_callback(lambda done: self._leaving.pop(done, None))

    def _discard(self, slot: Slot) -> None:
        slot.close()
        self._slots.discard(slot)
        self._door.close(slot.clients)

    def _base(self, generation: int) -> Path:
        return self._run_dir / f"{generation}"
