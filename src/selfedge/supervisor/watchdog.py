"""Starts a process again when it ends by itself, and tells when it hangs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from selfedge.errors import EngineError
from selfedge.supervisor.slot import Slot
from selfedge.types import Notice

BACK_OFF_S = (0.0, 0.5, 1.0, 2.0, 5.0)
STEADY_S = 10.0  # a process that lived so long is not in a crash loop
HEARTBEAT_S = 1.0
BUSY_AFTER_S = 5.0

Start = Callable[[Slot], Awaitable[None]]


class Guard(Protocol):
    """Looks after the process of one slot at a time."""

    def guard(self, slot: Slot) -> None:
        """Look after the process of `slot`, and no other any more."""

    async def rest(self) -> None:
        """Look after nothing: what ends from now on was meant to."""


class Watchdog:
    """Guards the process of one slot at a time."""

    def __init__(self, start: Start, notice: Notice) -> None:
        self._start = start
        self._notice = notice
        self._task: asyncio.Task[None] | None = None

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

    async def _guard(self, slot: Slot) -> None:
        loop = asyncio.get_running_loop()
        crashes = 0
        while slot.process is not None:
            started = loop.time()
            code = await self._ended(slot)
            crashes = 0 if loop.time() - started > STEADY_S else crashes + 1
            pause_s = BACK_OFF_S[min(max(crashes - 1, 0), len(BACK_OFF_S) - 1)]
            self._notice(_epitaph(slot, code, pause_s))
            await asyncio.sleep(pause_s)
            try:
                await self._start(slot)
            except EngineError as error:
                self._notice(f"the engine does not start again: {error}")

    async def _ended(self, slot: Slot) -> int:
        if slot.process is None:
            return 0
        beat = asyncio.create_task(self._listen_to(slot))
        try:
            return await slot.process.wait()
        finally:
            beat.cancel()

    async def _listen_to(self, slot: Slot) -> None:
        """Ask for a heartbeat; say once when none has come for a while."""
        loop = asyncio.get_running_loop()
        answered = loop.time()
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            try:
                await slot.control.status()
            except (OSError, TimeoutError):
                if not slot.hung and loop.time() - answered >= BUSY_AFTER_S:
                    slot.hung = True
                    self._notice(_busy(slot))
            else:
                answered, slot.hung = loop.time(), False


def _epitaph(slot: Slot, code: int, pause_s: float) -> str:
    names = ", ".join(slot.release.scripts) or "the error page"
    how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
    words = slot.process.last_words() if slot.process else ""
    when = f"in {pause_s:g} s" if pause_s else "now"
    return f"the engine of {names} ended {how}; starting it again {when}\n{words}"


def _busy(slot: Slot) -> str:
    names = " or ".join(slot.release.scripts)
    return (
        f"{names} has answered nothing for {BUSY_AFTER_S:g} s: an endless loop? "
        "Save a change or press r to restart, or Ctrl-C to stop."
    )
