"""Delivers the messages of one queue to the Worker that consumes it."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from selfedge.bindings.queues import limits, wire
from selfedge.bindings.queues.config import Consumer
from selfedge.bindings.queues.messages import (
    START,
    Messages,
    Position,
    Settled,
)
from selfedge.bindings.queues.registry import Queue
from selfedge.bindings.queues.wire import Metrics, Outcome, Taken
from selfedge.edge.events import Interrupted, NotBegun, hand
from selfedge.errors import StorageError
from selfedge.types import Clock, Notice

AFRESH_MS = 1000  # at least so often the search for what is due begins at the start
BACK_OFF_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Before a consumer is tried again that does not run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Who consumes a queue, and where its events are taken."""

    script: str
    settings: Consumer
    socket: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """What deliveries of all queues share."""

    messages: Messages
    clock: Clock
    notice: Notice
    queue: Callable[[int], Queue | None]  # by its key
    target: Callable[[int], Target | None]
    dead_letters: Callable[[str], int | None]  # the key of a queue that is there
    woken: Callable[[int], None]  # a queue has new messages

    @property
    def now_ms(self) -> int:
        """The time in milliseconds."""
        return int(self.clock() * 1000)


class Delivery:
    """Runs for as long as its queue exists."""

    def __init__(self, key: int, broker: Broker) -> None:
        self._key = key
        self._broker = broker
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[bool]] = set()
        self._failures = 0
        self._rest_until_s = 0.0
        self._after = START  # what is due before it is held, or comes again
        self._held: set[int] = set()  # numbers of messages that are being delivered
        self._afresh_ms = 0  # when a search last began at the start
        self._task = asyncio.create_task(self._run())

    def wake(self, *, afresh: bool = False) -> None:
        """Look again; `afresh`: a consumer that did not run may run now."""
        if afresh:
            self._failures, self._rest_until_s = 0, 0.0
        self._wake.set()

    async def close(self) -> None:
        """Deliver no more; what is under way is given back at the next start."""
        for task in (self._task, *self._running):
            task.cancel()
        await asyncio.gather(self._task, *self._running, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                wait_s = await self._step()
            except StorageError as error:
                self._broker.notice(f"Queues: {error}")
                wait_s = BACK_OFF_S[-1]
            if wait_s == 0:
                await asyncio.sleep(0)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    async def _step(self) -> float | None:
        """Begin a delivery if one is due; return when to look again, in seconds."""
        broker = self._broker
        queue, target = broker.queue(self._key), broker.target(self._key)
        if queue is None or target is None or queue.paused:
            return None
        settings = target.settings
        if len(self._running) >= (settings.max_concurrency or limits.AUTO_CONCURRENCY):
            return None
        rest_s = self._rest_until_s - asyncio.get_running_loop().time()
        if rest_s > 0:
            return rest_s
        now_ms, most = broker.now_ms, settings.max_batch_size
        due = self._due(most, now_ms)
        if not due:
            return self._until(broker.messages.next_due(self._key, now_ms), now_ms)
        full_ms = due[0][0] + int(settings.max_batch_timeout * 1000)
        if len(due) < most and now_ms < full_ms:
            return self._until(full_ms, now_ms)
        self._after = due[-1]
        self._begin(queue, target, broker.messages.take(due))
        return 0.0

    def _due(self, most: int, now_ms: int) -> Sequence[Position]:
        """Return where messages are due that nobody is being given.

        What is stored comes after what was looked at, but for a dead letter of the same
        millisecond or a clock that was set back: now and then, and at the end of what
        waits, the search begins at the start.
        """
        if not 0 <= now_ms - self._afresh_ms < AFRESH_MS:
            self._after = START
        if self._after == START:
            self._afresh_ms = now_ms
        beside = len(self._held) if self._after == START else 0
        found = self._broker.messages.due(self._key, most + beside, now_ms, self._after)
        free = [one for one in found if one[1] not in self._held][:most]
        if len(free) < most and self._after != START:
            self._after = START
            return self._due(most, now_ms)
        return free

    def _begin(self, queue: Queue, target: Target, taken: Sequence[Taken]) -> None:
        held = {one.seq for one in taken}
        self._held |= held

        def ended(task: asyncio.Task[bool]) -> None:
            self._held -= held
            if task.cancelled() or task.exception() or not task.result():
                self._after = START  # some may come again
            self._ended(task)

        task = asyncio.create_task(self._deliver(queue, target, taken))
        self._running.add(task)
        task.add_done_callback(ended)

    def _ended(self, task: asyncio.Task[bool]) -> None:
        self._running.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._rest()  # what was delivered could not be settled: it comes again
            self._broker.notice(f"Queues: {error}")

    @staticmethod
    def _until(when_ms: int | None, now_ms: int) -> float | None:
        return None if when_ms is None else max(0.001, (when_ms - now_ms) / 1000)

    async def _deliver(
        self, queue: Queue, target: Target, due: Sequence[Taken]
    ) -> bool:
        """Deliver messages, and settle what became of them; whether all are gone."""
        broker = self._broker
        taken = await self._fresh(queue, due)
        if not taken:
            return True
        metrics = _beside(broker.messages.metrics(self._key), taken)
        interrupted = False
        try:
            event = wire.event(queue.name, taken, metrics)
            outcome = wire.outcome(await hand(target.socket, event))
        except NotBegun:  # nobody has seen them: they are due as before
            self._rest()
            return False
        except Interrupted as error:
            broker.notice(
                f"Queue {queue.name}: a batch of {len(taken)} for {target.script} "
                f"comes again: {error}."
            )
            outcome, interrupted = Outcome(), True
            self._rest()
        again = await self._settle(
            queue, target, taken, outcome, interrupted=interrupted
        )
        if not interrupted:
            self._failures = 0
        return not again

    async def _fresh(self, queue: Queue, due: Sequence[Taken]) -> Sequence[Taken]:
        """Drop messages that are too old; return the others."""
        oldest_ms = oldest(queue, self._broker.now_ms)
        old = [one.seq for one in due if one.stored_ms <= oldest_ms]
        if not old:
            return due
        settled = Settled(acked=old)
        await self._broker.messages.settle(self._key, settled, self._broker.now_ms)
        return [one for one in due if one.stored_ms > oldest_ms]

    def _rest(self) -> None:
        pause_s = BACK_OFF_S[min(self._failures, len(BACK_OFF_S) - 1)]
        self._failures += 1
        self._rest_until_s = asyncio.get_running_loop().time() + pause_s

    async def _settle(
        self,
        queue: Queue,
        target: Target,
        taken: Sequence[Taken],
        outcome: Outcome,
        *,
        interrupted: bool,
    ) -> bool:
        """Settle what was delivered; return whether any of it comes again."""
        broker, settings = self._broker, target.settings
        wanted = wanted_again(taken, outcome, settings.retry_delay)
        most = settings.max_retries + (limits.INTERRUPTIONS if interrupted else 0)
        dead = [one for one in taken if one.id in wanted and one.attempts > most]
        name = settings.dead_letter_queue
        if dead:
            where = f"moved to the dead letter queue {name}" if name else "dropped"
            broker.notice(
                f"Queue {queue.name}: {len(dead)} of {len(taken)} messages {where} "
                f"after {dead[0].attempts} attempts"
            )
        dead_to = broker.dead_letters(name) if dead and name else None
        dead_seqs = {one.seq for one in dead}
        now_ms = broker.now_ms
        settled = Settled(
            acked=[one.seq for one in taken if one.id not in wanted],
            again=[
                (one.seq, now_ms + 1000 * wanted[one.id])
                for one in taken
                if one.id in wanted and one.seq not in dead_seqs
            ],
            dead=sorted(dead_seqs),
            dead_to=dead_to,
        )
        await broker.messages.settle(self._key, settled, now_ms)
        if dead_to is not None:
            broker.woken(dead_to)
        return bool(settled.again)


def wanted_again(
    taken: Iterable[Taken], outcome: Outcome, delay_s: int
) -> dict[str, int]:
    """Return which messages are to come again, and after how many seconds.

    What a handler says of a message wins over what it says of the batch, and that
    over how it ended.
    """
    batch = outcome.retry_batch
    whole = delay_s if batch.delay_seconds is None else batch.delay_seconds
    single = {
        one.msg_id: whole if one.delay_seconds is None else one.delay_seconds
        for one in outcome.retry_messages
    }
    again = batch.retry or (outcome.outcome != "ok" and not outcome.ack_all)
    acked = {*outcome.explicit_acks}
    found: dict[str, int] = {}
    for one in taken:
        if one.id in single:
            found[one.id] = single[one.id]
        elif again and one.id not in acked:
            found[one.id] = whole
    return found


def _beside(metrics: Metrics, taken: Sequence[Taken]) -> Metrics:
    """Return what waits besides the messages that were taken."""
    size = metrics.size_bytes - sum(len(one.body) for one in taken)
    return Metrics(metrics.count - len(taken), size, metrics.oldest_ms)


def oldest(queue: Queue, now_ms: int) -> int:
    """Return the time before which messages of a queue are no longer kept."""
    return now_ms - 1000 * queue.retention_s
