"""Fires cron triggers: each occurrence once, also over restarts of the node."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from selfedge.binding import Trigger
from selfedge.bindings.cron import limits
from selfedge.bindings.cron.compile import KIND
from selfedge.bindings.cron.expression import Cron, parse
from selfedge.bindings.cron.schedule import Due, Ledger
from selfedge.edge.events import Interrupted, NotBegun, frame, hand
from selfedge.errors import StorageError
from selfedge.storage.contract import Records
from selfedge.types import Clock, Notice

_MINUTE_S = 60
_TICK_MAX_S = 30.0  # the clock may be set: look at it now and then


class CronService:
    """All schedules of an account.

    An occurrence is written down before it is run, and struck out when it has ended.
    """

    def __init__(
        self,
        records: Records,
        *,
        clock: Clock,
        notice: Notice,
        dispatch: Callable[[str], Path],
        triggers: Callable[[], Sequence[Trigger]],
    ) -> None:
        self._ledger = Ledger(records)
        self._clock = clock
        self._notice = notice
        self._dispatch = dispatch
        self._triggers = triggers
        self._last = 0  # the minute that was looked at last
        self._running: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Go on where the node stopped, if that was a moment ago.

        Raises:
            StorageError: the disk is failing.
        """
        now = self._clock()
        this = _minute(now)
        before = await self._ledger.minute()
        # What was missed is not made up for, but for a minute that has just begun.
        self._last = before if before in {this, this - 1} else this
        for due in await self._ledger.owed():
            if now - due.time <= limits.OWED_MAX_S:
                self._begin(due)
            else:
                await self._ledger.strike(due)

    async def run(self) -> None:
        """Look at the clock for ever."""
        while True:
            try:
                await self.tick()
            except StorageError as error:
                self._notice(f"Cron triggers: {error}")
            to_next_s = _MINUTE_S - self._clock() % _MINUTE_S
            await asyncio.sleep(min(to_next_s, _TICK_MAX_S) + 0.001)

    async def tick(self) -> None:
        """Run what is due in the minute of now, unless that was done.

        Raises:
            StorageError: the disk is full or failing; it is tried again.
        """
        this = _minute(self._clock())
        if this <= self._last:
            return
        triggers = list(self._crons())
        at = this * _MINUTE_S
        due = [
            Due(script=script, cron=cron.text, time=at)
            for script, cron in triggers
            if cron.matches(at)
        ]
        if triggers:
            await self._ledger.enter(this, due)
        self._last = this
        for one in due:
            self._begin(one)

    async def close(self) -> None:
        """Run nothing more; what is under way is run again at the next start."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _crons(self) -> Iterator[tuple[str, Cron]]:
        for trigger in self._triggers():
            if trigger.kind == KIND:
                yield trigger.script, trigger.settings

    def _begin(self, due: Due) -> None:
        task = asyncio.create_task(self._run(due))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, due: Due) -> None:
        try:
            for retry in range(due.retries, limits.RETRIES + 1):
                if await self._once(due):
                    break
                pause_s = limits.RETRY_S * 2**retry
                if retry == limits.RETRIES or not self._may_wait(due, pause_s):
                    self._notice(f"{due.script}: scheduled() of {due.cron!r} failed.")
                    break
                await self._ledger.retried(due, retry + 1)
                await asyncio.sleep(pause_s)
            await self._ledger.strike(due)
        except StorageError as error:
            self._notice(f"Cron triggers: {error}")

    async def _once(self, due: Due) -> bool:
        """Return whether the occurrence needs no retry."""
        event = frame({"cron": due.cron, "time": due.time * 1000})
        try:
            outcome = await hand(self._dispatch(due.script), event)
        except (NotBegun, Interrupted) as error:
            self._notice(f"{due.script}: scheduled() of {due.cron!r}: {error}.")
            return False
        return outcome.get("outcome") == "ok" or outcome.get("noRetry") is True

    def _may_wait(self, due: Due, pause_s: float) -> bool:
        """Whether the schedule is still there, and not due again before that."""
        texts = {(script, cron.text) for script, cron in self._crons()}
        if (due.script, due.cron) not in texts:
            return False
        coming = parse(due.cron).next(due.time)
        return coming is None or self._clock() + pause_s < coming


def _minute(seconds: float) -> int:
    return int(seconds) // _MINUTE_S
