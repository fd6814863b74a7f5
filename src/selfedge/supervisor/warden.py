"""Holds a group of `serve` to its limits, lets it sleep when idle, and wakes it."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from selfedge.errors import EngineError
from selfedge.supervisor.alarms import next_alarm
from selfedge.supervisor.limits import Limits
from selfedge.supervisor.slot import Slot
from selfedge.supervisor.sockets import cut_off
from selfedge.supervisor.usage import usage
from selfedge.supervisor.watchdog import Start
from selfedge.types import Notice

LOOK_S = 0.25
BUSY_SHARE = 0.3  # of a processor: below it, an event loop is not blocked by a spin
ASK_S = 3600.0  # the most that a heartbeat is waited for, with no limit near that
SPIN_LOOK_S = 0.05
COUNTS_EVERY_S = 5.0
COUNTS_S = 0.1  # the most that a look waits for what a process has counted
KNOWN_WITHIN_S = 0.5  # after a request broke off, until we know why at the latest
CLOCK_LOOK_S = 30.0  # an alarm is due by the clock on the wall, which may be set
MEMORY_S = 0.75  # how long the memory may be over the limit
QUIET_CPU_S = 0.015  # what an idle engine may use from one look to the next
BACK_OFF_S = (0.0, 0.0, 0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
"""By failures in a row; the front asks a broken GET again, so one makes two."""

STEADY_S = 2.0  # a process that was well for so long is not in a crash loop
_REFUSE_TICK_S = 0.05


class End(Enum):
    """Why a process ended."""

    CRASHED = "crashed"
    EXCEEDED_CPU = "exceededCpu"
    EXCEEDED_MEMORY = "exceededMemory"
    BROKEN = "does not start"
    ASLEEP = "asleep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for a group."""

    limits: Limits
    idle_s: float | None  # None: it never sleeps
    objects: Sequence[Path] = ()  # folders of its Durable Objects, whose alarms wake it
    back_off: Sequence[float] = BACK_OFF_S


class Warden:
    """Guards the process of one slot at a time; a slot without one is asleep."""

    def __init__(
        self,
        start: Start,
        terms: Callable[[], Terms],
        notice: Notice,
        ended: Callable[[End], None] = lambda _: None,
    ) -> None:
        self._start = start
        self._terms = terms
        self._notice = notice
        self._ended = ended
        self._task: asyncio.Task[None] | None = None
        self._call = asyncio.Event()
        self.last: End | None = None  # how a process ended, None while all is well
        self.retry_s = 0.0  # after how long it is worth asking again
        self.restarts = 0
        self._well_s = 0.0  # how long the process was well, in its last life

    def guard(self, slot: Slot) -> None:
        """Guard the process of `slot`, and no other any more."""
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.create_task(self._guard(slot))

    async def rest(self) -> None:
        """Guard nothing: what ends from now on was meant to."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    async def verdict(self) -> tuple[End | None, float]:
        """Return how a process ended last, and in how many seconds to ask again.

        A client whose request broke off may ask a moment before we know.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KNOWN_WITHIN_S):
                while self.last is None:
                    await asyncio.sleep(KNOWN_WITHIN_S / 50)
        return self.last, self.retry_s

    def wake(self) -> None:
        """Have the process started, if it sleeps."""
        self._call.set()

    async def _guard(self, slot: Slot) -> None:
        failures = 0
        while True:
            end = await self._life(slot)
            steady = self._well_s > STEADY_S
            failures = 0 if steady else failures
            if end is End.ASLEEP:
                self._ended(end)
                continue
            failures += not steady
            back_off = self._terms().back_off
            pause_s = back_off[min(failures, len(back_off) - 1)]
            self.last, self.retry_s = end, pause_s
            self._ended(end)
            self.restarts += 1
            self._notice(_told(slot, end, pause_s))
            slot.process = None
            await _refuse(slot, pause_s)

    async def _life(self, slot: Slot) -> End:
        """Start the process when it is wanted; return how it ended."""
        self._well_s = 0.0
        if slot.process is None or not slot.process.running:
            await self._wanted(slot)
            try:
                await self._start(slot)
            except EngineError as error:
                self._notice(f"{_names(slot)} does not start: {error}")
                return End.BROKEN
        end = await self._watched(slot)
        if end is End.CRASHED and slot.process and slot.process.out_of_memory:
            return End.EXCEEDED_MEMORY
        if end is not End.CRASHED:
            self.last = end  # those whose requests break off ask at once
            await self._put_down(slot, end)
        return end

    async def _put_down(self, slot: Slot, end: End) -> None:
        if end is End.ASLEEP:
            await slot.leave()
            slot.process = None
        else:
            await slot.take(within_s=COUNTS_S)
            await slot.kill()

    async def _wanted(self, slot: Slot) -> None:
        """Return when somebody waits for the process, or an alarm is due."""
        self._call.clear()
        loop = asyncio.get_running_loop()
        sockets = list(slot.waiting_at.values())
        for one in sockets:
            loop.add_reader(one, self._call.set)
        try:
            while (due := await self._due(slot)) is None or due > 0:
                wait_s = None if due is None else min(due, CLOCK_LOOK_S)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._call.wait()
                        return
        finally:
            for one in sockets:
                loop.remove_reader(one)

    async def _due(self, slot: Slot) -> float | None:
        """Return the seconds until the next alarm; None if there is none."""
        if not slot.release.durable:
            return None
        when = await asyncio.to_thread(next_alarm, self._terms().objects)
        return None if when is None else when - time.time()

    async def _watched(self, slot: Slot) -> End:
        assert slot.process is not None  # noqa: S101 - just started
        ended = asyncio.create_task(slot.process.wait())
        watch = _Watch(slot, self._terms())
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            while True:
                done, _ = await asyncio.wait({ended}, timeout=LOOK_S)
                self._well_s = loop.time() - began
                if done:
                    return End.CRASHED
                if end := await watch.look():
                    return end
        finally:
            ended.cancel()


class _Watch:
    """Looks at one running process again and again."""

    def __init__(self, slot: Slot, terms: Terms) -> None:
        self._slot = slot
        self._terms = terms
        self._loop = asyncio.get_running_loop()
        self._cpu_s = 0.0
        self._looked = self._busy = self._loop.time()
        self._total = -1  # requests, when it was last asked
        self._over_since: float | None = None
        self._took = self._looked

    async def look(self) -> End | None:
        """Return why the process must end now, if it must."""
        process = self._slot.process
        used = usage(process.pid) if process else None
        if used is None:
            return None
        now = self._loop.time()
        spent_s, passed_s = used.cpu_s - self._cpu_s, now - self._looked
        self._cpu_s, self._looked = used.cpu_s, now
        if self._too_large(used.resident_bytes):
            return End.EXCEEDED_MEMORY
        if spent_s > QUIET_CPU_S:
            self._busy = now
            await self._take(now)
        if spent_s > BUSY_SHARE * passed_s and (end := await self._blocked()):
            return end
        idle_s = self._terms.idle_s
        if idle_s is not None and now - self._busy >= idle_s and await self._quiet():
            return End.ASLEEP
        return None

    async def _take(self, now: float) -> None:
        """Take what it has counted, now and then: a crash would lose it."""
        if now - self._took >= COUNTS_EVERY_S:
            self._took = now
            await self._slot.take(within_s=COUNTS_S)

    def _too_large(self, resident_bytes: int) -> bool:
        limit = self._terms.limits.memory_bytes
        if limit is None or resident_bytes <= limit:
            self._over_since = None
            return False
        now = self._loop.time()
        self._over_since = now if self._over_since is None else self._over_since
        return now - self._over_since >= MEMORY_S

    async def _blocked(self) -> End | None:
        """Return why it must end if it does not answer while it uses what it may.

        What counts is its own processor time: a busy machine is not its fault.
        """
        limit_s = self._terms.limits.blocked_s
        asking = asyncio.create_task(self._slot.control.status(within_s=ASK_S))
        before_s = self._cpu_s
        try:
            while not (await asyncio.wait({asking}, timeout=SPIN_LOOK_S))[0]:
                used = usage(self._slot.process.pid) if self._slot.process else None
                if used is None:
                    return None  # it is ending by itself
                if self._too_large(used.resident_bytes):
                    return End.EXCEEDED_MEMORY
                if limit_s is not None and used.cpu_s - before_s >= limit_s:
                    return End.EXCEEDED_CPU
        finally:
            asking.cancel()
            await asyncio.wait({asking})
        return None

    async def _quiet(self) -> bool:
        """Whether it did nothing since the last time that this was asked."""
        self._busy = self._loop.time()
        try:
            activity = await self._slot.control.status()
        except (OSError, TimeoutError):
            return False
        before, self._total = self._total, activity.total
        return activity.idle and not activity.web_sockets and before == activity.total


async def _refuse(slot: Slot, for_s: float) -> None:
    """Send clients away for a while: the front tells them when to come again."""
    loop = asyncio.get_running_loop()
    until = loop.time() + for_s
    while loop.time() < until:
        for one in slot.waiting_at.values():
            cut_off(one)
        await asyncio.sleep(_REFUSE_TICK_S)


def _names(slot: Slot) -> str:
    return ", ".join(slot.release.scripts)


def _told(slot: Slot, end: End, pause_s: float) -> str:
    words = slot.process.last_words() if slot.process and end is End.CRASHED else ""
    then = f"is tried again in {pause_s:g} s" if pause_s else "starts again when asked"
    return f"{_names(slot)}: {end.value}; it {then}. {words}".rstrip()
