"""What Queues do, whoever asks: a Worker, the control API or a test."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from selfedge.binding import Trigger
from selfedge.bindings.queues import limits
from selfedge.bindings.queues.compile import KIND, from_resource
from selfedge.bindings.queues.delivery import Broker, Delivery, Target, oldest
from selfedge.bindings.queues.errors import InvalidName, Overloaded, QueueError
from selfedge.bindings.queues.messages import Messages
from selfedge.bindings.queues.messages.ledger import Ledger
from selfedge.bindings.queues.pulling import Pulling
from selfedge.bindings.queues.registry import WORKER, Queue, Registry
from selfedge.bindings.queues.wire import Metrics, Sent
from selfedge.errors import StorageError
from selfedge.types import Clock, Notice

SWEEP_INTERVAL_S = 30.0


class QueueService:
    """All queues of an account; made inside the event loop that uses it."""

    def __init__(
        self,
        home: Path,
        *,
        clock: Clock,
        notice: Notice,
        new_id: Callable[[], str],
        dispatch: Callable[[str], Path],
        triggers: Callable[[], Sequence[Trigger]],
    ) -> None:
        self._ledger = Ledger(home / "queues.sqlite")
        self.registry = Registry(self._ledger, new_id)
        self.messages = Messages(self._ledger)
        self._clock = clock
        self._notice = notice
        self._dispatch = dispatch
        self._triggers = triggers
        self._deliveries: dict[int, Delivery] = {}
        self._producers: dict[str, dict[str, None]] = {}  # queue → scripts
        self._making: set[asyncio.Task[None]] = set()
        self._broker = Broker(
            messages=self.messages,
            clock=clock,
            notice=notice,
            queue=self.registry.by_key,
            target=self._target,
            dead_letters=self._dead_letters,
            woken=self.woken,
        )
        self.pulling = Pulling(self._broker, self.registry.consumer)

    @property
    def now_ms(self) -> int:
        """The time in milliseconds."""
        return int(self._clock() * 1000)

    async def start(self) -> None:
        """Deliver what waits from an earlier run.

        Raises:
            StorageError: the disk is failing.
        """
        await self.look()

    async def close(self) -> None:
        """Deliver no more, and close the file."""
        tasks = [*self._making]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(one.close() for one in self._deliveries.values()))
        self._ledger.close()

    def bound(self, resources: Iterable[str]) -> None:
        """Let the queues exist that Workers use, and look who consumes now."""
        for resource in resources:
            if "/" in resource:
                queue, script, _ = from_resource(resource)
                self._producers.setdefault(queue, {})[script] = None
        task = asyncio.create_task(self._made())
        self._making.add(task)
        task.add_done_callback(self._making.discard)

    async def _made(self) -> None:
        try:
            for name in list(self._producers):
                with suppress(InvalidName):
                    await self.registry.ensure(name, self.now_ms)
            await self.look()
        except StorageError as error:
            self._notice(f"Queues: {error}")

    async def look(self) -> None:
        """Make the queues that are consumed, and deliver from each that exists."""
        for trigger in self._consumers():
            settings = trigger.settings
            for name in (settings.queue, settings.dead_letter_queue):
                if name:
                    await self._ensured(name)
        for queue in self.registry.every():
            attached = self.registry.consumer(queue)
            if attached and attached.settings.dead_letter_queue:
                await self._ensured(attached.settings.dead_letter_queue)
        for queue in self.registry.every():
            self._delivery(queue).wake(afresh=True)

    async def _ensured(self, name: str) -> None:
        try:
            await self.registry.ensure(name, self.now_ms)
        except QueueError as error:
            self._notice(str(error))

    def producers(self, queue: Queue) -> Sequence[str]:
        """Return the scripts that send to a queue."""
        return list(self._producers.get(queue.name, ()))

    def consumed_by(self, queue: Queue) -> Trigger | None:
        """Return the consumer of a queue that stands in a wrangler file."""
        return next(
            (one for one in self._consumers() if one.settings.queue == queue.name), None
        )

    async def send(
        self, queue: Queue, sent: Sequence[Sent], delay_s: int | None = None
    ) -> Metrics:
        """Store messages; on return they have survived a crash of ours.

        Raises:
            Overloaded: the backlog is full.
            StorageError: the disk is full or failing; nothing was stored.
        """
        size = sum(len(one.body) for one in sent)
        before = self.messages.metrics(queue.key)
        if before.size_bytes + size > limits.BACKLOG_MAX_BYTES:
            raise Overloaded
        default = queue.delay_s if delay_s is None else delay_s
        await self.messages.put(queue.key, sent, self.now_ms, default)
        self.woken(queue.key)
        return self.messages.metrics(queue.key)

    async def delete(self, queue: Queue) -> None:
        """Remove a queue with all its messages."""
        await self.registry.delete(queue)
        if (delivery := self._deliveries.pop(queue.key, None)) is not None:
            await delivery.close()

    async def tend(self) -> None:
        """Remove messages that are too old; runs for ever."""
        while True:
            await asyncio.sleep(SWEEP_INTERVAL_S)
            with suppress(StorageError):  # a send will tell the user
                for queue in self.registry.every():
                    await self.messages.remove(queue.key, oldest(queue, self.now_ms))

    def woken(self, key: int) -> None:
        """Look at a queue again: it has new messages, or other settings."""
        if (queue := self.registry.by_key(key)) is not None:
            self._delivery(queue).wake()

    def _delivery(self, queue: Queue) -> Delivery:
        if queue.key not in self._deliveries:
            self._deliveries[queue.key] = Delivery(queue.key, self._broker)
        return self._deliveries[queue.key]

    def _consumers(self) -> Iterable[Trigger]:
        return (one for one in self._triggers() if one.kind == KIND)

    def _dead_letters(self, name: str) -> int | None:
        with suppress(QueueError):
            return self.registry.named(name).key
        return None

    def _target(self, key: int) -> Target | None:
        queue = self.registry.by_key(key)
        if queue is None:
            return None
        attached = self.registry.consumer(queue)
        if (trigger := self.consumed_by(queue)) is not None:
            script, settings = trigger.script, trigger.settings
        elif attached is not None and attached.type == WORKER:
            script, settings = attached.script, attached.settings
        else:
            return None
        return Target(script=script, settings=settings, socket=self._dispatch(script))
