"""Pull consumers: they lease messages over HTTP, and settle the leases."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from selfedge.bindings.queues import limits
from selfedge.bindings.queues.config import Consumer
from selfedge.bindings.queues.delivery import Broker, oldest
from selfedge.bindings.queues.errors import NotPulled
from selfedge.bindings.queues.messages import Leased, Settled
from selfedge.bindings.queues.registry import PULL, Attached, Queue


class Pulling:
    """Leases messages of queues whose consumer pulls."""

    def __init__(
        self, broker: Broker, attached: Callable[[Queue], Attached | None]
    ) -> None:
        self._broker = broker
        self._attached = attached

    async def pull(
        self, queue: Queue, most: int | None, visibility_ms: int | None
    ) -> Sequence[Leased]:
        """Lease up to `most` messages, or as many as the consumer usually gets.

        Raises:
            NotPulled: the queue has no pull consumer.
            StorageError: the disk is full or failing.
        """
        settings = self._settings(queue)
        if queue.paused:
            return ()
        usual_ms = settings.visibility_timeout_ms or limits.VISIBILITY_MS
        now_ms = self._broker.now_ms
        leased = await self._broker.messages.lease(
            queue.key,
            most or settings.max_batch_size,
            now_ms,
            now_ms + (visibility_ms or usual_ms),
        )
        oldest_ms, last = oldest(queue, now_ms), settings.max_retries + 1
        found = [one.message for one in leased]
        old = [one.seq for one in found if one.stored_ms <= oldest_ms]
        dead = [one.seq for one in found if one.attempts > last and one.seq not in old]
        await self._settle(queue, settings, Settled(acked=old, dead=dead))
        ended = {*old, *dead}
        return [one for one in leased if one.message.seq not in ended]

    async def settle(
        self,
        queue: Queue,
        acks: Sequence[str],
        retries: Sequence[tuple[str, int | None]],
    ) -> tuple[int, int, Mapping[str, str]]:
        """Return how many were acknowledged, how many come again, and what is odd.

        Raises:
            NotPulled: the queue has no pull consumer.
            StorageError: the disk is full or failing; nothing was settled.
        """
        settings = self._settings(queue)
        names = [*acks, *(lease for lease, _ in retries)]
        held = self._broker.messages.held(queue.key, names)
        odd = {name: "the lease has ended" for name in names if name not in held}
        acked = {held[lease][0] for lease in acks if lease in held}
        asked = {
            held[lease]: settings.retry_delay if delay_s is None else delay_s
            for lease, delay_s in retries
            if lease in held and held[lease][0] not in acked
        }
        now_ms = self._broker.now_ms
        dead = [seq for seq, attempts in asked if attempts > settings.max_retries]
        again = [
            (seq, now_ms + 1000 * delay_s)
            for (seq, _), delay_s in asked.items()
            if seq not in dead
        ]
        settled = Settled(acked=sorted(acked), again=again, counted=False, dead=dead)
        await self._settle(queue, settings, settled)
        return len(acked), len(asked), odd

    async def _settle(self, queue: Queue, settings: Consumer, settled: Settled) -> None:
        if not (settled.acked or settled.again or settled.dead):
            return
        broker = self._broker
        name = settings.dead_letter_queue
        dead_to = broker.dead_letters(name) if name else None
        whole = replace(settled, dead_to=dead_to)
        await broker.messages.settle(queue.key, whole, broker.now_ms)
        if settled.dead and dead_to is not None:
            broker.woken(dead_to)

    def _settings(self, queue: Queue) -> Consumer:
        attached = self._attached(queue)
        if attached is None or attached.type != PULL:
            raise NotPulled(queue.name)
        return attached.settings
