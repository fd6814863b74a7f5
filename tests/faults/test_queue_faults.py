"""Queues keep what they acknowledged on a full disk, and go on when there is room."""

import asyncio
import time
from contextlib import suppress

import pytest

from harness.events import Dispatcher
from selfedge.binding import Trigger
from selfedge.bindings.queues.config import Consumer
from selfedge.bindings.queues.service import QueueService
from selfedge.bindings.queues.wire import Sent
from selfedge.errors import StorageError

MIB = 1024 * 1024
BODY = b"x" * 20_000


def opened(folder, dispatcher, notices, triggers=()):
    return QueueService(
        folder,
        clock=time.time,
        notice=notices.append,
        new_id=lambda: "id",
        dispatch=lambda _: dispatcher.socket,
        triggers=lambda: triggers,
    )


async def fill(service, queue):
    """Send until it is refused; return how many were accepted, and why not more."""
    for count in range(10_000):
        try:
            await service.send(queue, [Sent(b"%d " % count + BODY, "text")])
        except StorageError as error:
            return count, str(error)
    raise AssertionError("the disk was never full")


@pytest.mark.slow
def test_on_a_full_disk_a_send_is_refused_and_nothing_is_lost(tmp_path, small_disk):
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(3 * MIB))
    notices = []
    worker = Dispatcher(tmp_path / "s")
    settings = Consumer(queue="jobs", max_batch_timeout=0, max_batch_size=7)
    trigger = Trigger(kind="queues", script="app", settings=settings)

    async def scenario():
        service = opened(small_disk, worker, notices)
        queue = await service.registry.create("jobs", 1)
        accepted, why = await fill(service, queue)
        assert accepted > 50
        assert f"The disk that holds {small_disk} is full" in why
        assert service.messages.metrics(queue.key).count == accepted
        ballast.unlink()
        await service.send(queue, [Sent(b"after ", "text")])
        await service.close()
        service = opened(small_disk, worker, notices, [trigger])
        await service.start()
        async with worker.listening(), asyncio.timeout(20):
            while service.messages.metrics(queue.key).count:
                await asyncio.sleep(0.01)
        await service.close()
        return accepted

    accepted = asyncio.run(scenario())
    seen = b"".join(event["bodies"] for event in worker.events)
    delivered = sum(len(event["messages"]) for event in worker.events)
    assert delivered == accepted + 1
    assert seen.startswith(b"0 x")
    assert seen.endswith(b"after ")


@pytest.mark.slow
def test_what_cannot_be_settled_comes_again_without_haste(tmp_path, small_disk):
    """A batch that was handled, but whose end cannot be written down."""
    ballast = small_disk / "ballast"
    notices = []
    worker = Dispatcher(tmp_path / "s")
    settings = Consumer(queue="jobs", max_batch_timeout=0)
    trigger = Trigger(kind="queues", script="app", settings=settings)

    async def scenario():
        triggers = []
        service = opened(small_disk, worker, notices, triggers)
        queue = await service.registry.create("jobs", 1)
        await service.send(queue, [Sent(BODY, "text")])
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        triggers.append(trigger)
        async with worker.listening(), asyncio.timeout(20):
            await service.look()
            while not notices:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.5)
            tried = len(worker.events)
            ballast.unlink()
            while service.messages.metrics(queue.key).count:
                await asyncio.sleep(0.01)
        await service.close()
        return tried

    tried = asyncio.run(scenario())
    assert tried < 10
    assert "is full" in notices[0]
