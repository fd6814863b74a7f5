"""The broker against consumers that are scripted: a dispatcher's socket of a test."""

import asyncio
import sqlite3
from contextlib import asynccontextmanager

import pytest

from harness.events import Dispatcher
from selfedge.binding import Trigger
from selfedge.bindings.queues import limits
from selfedge.bindings.queues.config import Consumer
from selfedge.bindings.queues.errors import (
    ConsumerExists,
    ConsumerNotFound,
    InvalidName,
    NotPulled,
    Overloaded,
    QueueExists,
    QueueNotFound,
)
from selfedge.bindings.queues.service import QueueService
from selfedge.bindings.queues.wire import Sent
from selfedge.errors import StorageError

OK = {"outcome": "ok"}
WITHIN_S = 10.0


class Bench:
    """A service on a clock of the test, and the events that its consumer got."""

    def __init__(self, folder):
        self.folder = folder
        self.now = 1_000_000.0
        self.notices: list[str] = []
        self.worker = Dispatcher(folder / "s")
        self.consumers = [Consumer(queue="jobs", max_batch_timeout=0)]
        self.ids = iter(range(10**6))

    @asynccontextmanager
    async def service(self):
        service = QueueService(
            self.folder,
            clock=lambda: self.now,
            notice=self.notices.append,
            new_id=lambda: f"id{next(self.ids)}",
            dispatch=lambda _: self.worker.socket,
            triggers=lambda: [
                Trigger(kind="queues", script="app", settings=one)
                for one in self.consumers
            ],
        )
        await service.start()
        try:
            yield service
        finally:
            await service.close()

    def listening(self):
        return self.worker.listening()

    async def got(self, count):
        return await self.worker.got(count)

    @property
    def events(self):
        return self.worker.events

    async def later(self, service, seconds):
        """Let time pass."""
        self.now += seconds
        await service.look()

    async def drained(self, service, name="jobs"):
        """Wait until nothing is in a queue."""
        queue = service.registry.named(name)
        async with asyncio.timeout(WITHIN_S):
            while service.messages.metrics(queue.key).count:
                await asyncio.sleep(0.005)


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def run(scenario):
    asyncio.run(scenario())


def texts(*bodies, delay_s=None):
    return [Sent(body.encode(), "text", delay_s) for body in bodies]


def attempts(event):
    return [one["attempts"] for one in event["messages"]]


def test_a_batch_carries_what_was_sent_in_order(bench):
    async def scenario():
        async with bench.listening(), bench.service() as service:
            jobs = service.registry.named("jobs")
            await service.send(jobs, texts("a", "bc"))
            (event,) = await bench.got(1)
            assert event["queue"] == "jobs"
            assert event["bodies"] == b"abc"
            sizes = [(one["size"], one["type"]) for one in event["messages"]]
            assert sizes == [(1, "text"), (2, "text")]
            assert event["metrics"]["backlogCount"] == 0
            await bench.drained(service)

    run(scenario)


def test_a_batch_waits_for_its_size_or_its_time(bench):
    bench.consumers = [Consumer(queue="jobs", max_batch_size=3, max_batch_timeout=60)]

    async def scenario():
        async with bench.listening(), bench.service() as service:
            jobs = service.registry.named("jobs")
            await service.send(jobs, texts("a", "b"))
            await bench.later(service, 59)
            assert bench.events == []
            await service.send(jobs, texts("c", "d"))
            await bench.got(1)
            assert bench.events[0]["bodies"] == b"abc"
            await bench.later(service, 60)
            await bench.got(2)
            assert bench.events[1]["bodies"] == b"d"

    run(scenario)


def test_a_failed_batch_is_retried_then_dropped(bench):
    bench.consumers = [Consumer(queue="jobs", max_batch_timeout=0, max_retries=1)]
    bench.worker.answer = lambda _: {"outcome": "exception"}

    async def scenario():
        async with bench.listening(), bench.service() as service:
            await service.send(service.registry.named("jobs"), texts("a"))
            await bench.got(2)
            await bench.drained(service)
            assert [attempts(event) for event in bench.events] == [[1], [2]]
            assert "dropped after 2 attempts" in bench.notices[0]

    run(scenario)


def test_what_a_handler_says_of_a_message_wins(bench):
    def answer(event):
        ids = [one["id"] for one in event["messages"]]
        if len(bench.events) > 1:
            return OK
        return {
            "outcome": "exception",
            "explicitAcks": [ids[0]],
            "retryMessages": [{"msgId": ids[1], "delaySeconds": 30}],
            "retryBatch": {"retry": True, "delaySeconds": 90},
        }

    bench.worker.answer = answer

    async def scenario():
        async with bench.listening(), bench.service() as service:
            jobs = service.registry.named("jobs")
            await service.send(jobs, texts("a", "b", "c"))
            await bench.got(1)
            async with asyncio.timeout(WITHIN_S):
                while service.messages.metrics(jobs.key).count != 2:
                    await asyncio.sleep(0.005)
            await bench.later(service, 29)
            assert len(bench.events) == 1
            await bench.later(service, 1)
            await bench.got(2)
            await bench.later(service, 60)
            await bench.got(3)
            assert [event["bodies"] for event in bench.events] == [b"abc", b"b", b"c"]

    run(scenario)


def test_a_dead_letter_keeps_its_id_and_counts_afresh(bench):
    bench.consumers = [
        Consumer(
            queue="jobs", max_batch_timeout=0, max_retries=0, dead_letter_queue="dead"
        ),
        Consumer(queue="dead", max_batch_timeout=0),
    ]
    bench.worker.answer = lambda event: {
        "outcome": "ok" if event["queue"] == "dead" else ""
    }

    async def scenario():
        async with bench.listening(), bench.service() as service:
            await service.send(service.registry.named("jobs"), texts("a"))
            first, second = await bench.got(2)
            assert second["queue"] == "dead"
            assert attempts(second) == [1]
            assert first["messages"][0]["id"] == second["messages"][0]["id"]
            await bench.drained(service, "dead")

    run(scenario)


def test_an_event_that_did_not_begin_does_not_count(bench):
    failures = iter([None, None])
    bench.worker.answer = lambda _: next(failures, OK)

    async def scenario():
        async with bench.listening(), bench.service() as service:
            await service.send(service.registry.named("jobs"), texts("a"))
            await bench.got(3)
            await bench.drained(service)
            assert [attempts(event) for event in bench.events] == [[1], [1], [1]]

    run(scenario)


def test_a_consumer_that_is_not_there_gets_its_messages_when_it_is(bench):
    async def scenario():
        async with bench.service() as service:
            await service.send(service.registry.named("jobs"), texts("a"))
            await asyncio.sleep(0.05)
            async with bench.listening():
                await bench.got(1)
                await bench.drained(service)

    run(scenario)


def test_an_event_that_breaks_off_counts_and_is_given_some_tries_more(bench):
    bench.consumers = [Consumer(queue="jobs", max_batch_timeout=0, max_retries=0)]
    bench.worker.answer = lambda _: "begun"

    async def scenario():
        async with bench.listening(), bench.service() as service:
            await service.send(service.registry.named("jobs"), texts("a"))
            await bench.got(1 + limits.INTERRUPTIONS)
            await bench.drained(service)
            numbers = [attempts(event)[0] for event in bench.events]
            assert numbers == list(range(1, 2 + limits.INTERRUPTIONS))

    run(scenario)


def test_no_more_batches_run_at_once_than_max_concurrency(bench):
    bench.consumers = [
        Consumer(queue="jobs", max_batch_size=1, max_batch_timeout=0, max_concurrency=2)
    ]
    running, most = 0, 0

    async def slow():
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        return OK

    bench.worker.answer = lambda _: slow()

    async def scenario():
        async with bench.listening(), bench.service() as service:
            await service.send(service.registry.named("jobs"), texts(*"abcdef"))
            await bench.got(6)
            await bench.drained(service)
            assert most == 2
            assert len(bench.events) == 6  # each once

    run(scenario)


def test_a_message_that_comes_again_is_not_overlooked_while_others_run(bench):
    """Also one that is due in the same millisecond as what was taken last."""
    bench.consumers = [Consumer(queue="jobs", max_batch_size=1, max_batch_timeout=0)]
    hold = asyncio.Event()

    async def held():
        await hold.wait()
        return OK

    def answer(event):
        if event["bodies"] == b"a" and attempts(event) == [1]:
            return {"outcome": "exception"}
        return held() if event["bodies"] == b"b" else OK

    bench.worker.answer = answer

    async def scenario():
        async with bench.listening(), bench.service() as service:
            await service.send(service.registry.named("jobs"), texts("a", "b"))
            await bench.got(3)
            assert sorted(e["bodies"] for e in bench.events) == [b"a", b"a", b"b"]
            hold.set()
            await bench.drained(service)

    run(scenario)


def test_what_was_under_way_is_given_again_by_the_next_service(bench):
    hold = asyncio.Event()
    bench.worker.answer = lambda _: hold.wait()

    async def scenario():
        async with bench.listening():
            async with bench.service() as service:
                await service.send(service.registry.named("jobs"), texts("a"))
                await bench.got(1)
            bench.worker.answer = lambda _: OK
            async with bench.service() as service:
                await bench.got(2)
                await bench.drained(service)
            hold.set()
            assert [attempts(event) for event in bench.events] == [[1], [1]]

    run(scenario)


def test_a_paused_queue_delivers_nothing_until_it_is_resumed(bench):
    async def scenario():
        async with bench.listening(), bench.service() as service:
            jobs = service.registry.named("jobs")
            jobs = await service.registry.change(jobs, service.now_ms, paused=True)
            await service.send(jobs, texts("a"))
            await bench.later(service, 60)
            assert bench.events == []
            await service.registry.change(jobs, service.now_ms, paused=False)
            service.woken(jobs.key)
            await bench.got(1)

    run(scenario)


def test_a_message_that_is_too_old_is_not_delivered(bench):
    bench.consumers = []

    async def scenario():
        async with bench.listening(), bench.service() as service:
            old = await service.registry.create("jobs", service.now_ms, retention_s=60)
            await service.send(old, texts("a"))
            bench.now += 61
            await service.send(old, texts("b"))
            bench.consumers = [Consumer(queue="jobs", max_batch_timeout=0)]
            await service.look()
            await bench.got(1)
            assert bench.events[0]["bodies"] == b"b"
            await bench.drained(service)

    run(scenario)


def test_a_clock_that_is_set_back_hides_nothing(bench):
    bench.consumers = [Consumer(queue="jobs", max_batch_size=1, max_batch_timeout=0)]
    hold = asyncio.Event()

    async def held():
        await hold.wait()
        return OK

    bench.worker.answer = lambda event: held() if event["bodies"] == b"a" else OK

    async def scenario():
        async with bench.listening(), bench.service() as service:
            jobs = service.registry.named("jobs")
            await service.send(jobs, texts("a"))
            await bench.got(1)
            bench.now -= 3600
            await service.send(jobs, texts("b"))
            await bench.got(2)
            hold.set()

    run(scenario)


def test_counts_stay_true(bench):
    bench.consumers = []

    async def scenario():
        async with bench.service() as service:
            jobs = await service.registry.create("jobs", service.now_ms)
            sends = (service.send(jobs, texts("ab", "c")) for _ in range(20))
            await asyncio.gather(*sends)
            metrics = service.messages.metrics(jobs.key)
            assert (metrics.count, metrics.size_bytes) == (40, 60)
            await service.messages.remove_some(jobs.key, [1, 2, 2, 999])
            assert service.messages.metrics(jobs.key).count == 38
            assert await service.messages.remove(jobs.key) == 38
            assert service.messages.metrics(jobs.key).count == 0

    run(scenario)


def test_a_full_backlog_refuses(bench, monkeypatch):
    monkeypatch.setattr(limits, "BACKLOG_MAX_BYTES", 2)
    bench.consumers = []

    async def scenario():
        async with bench.service() as service:
            jobs = await service.registry.create("jobs", service.now_ms)
            await service.send(jobs, texts("ab"))
            with pytest.raises(Overloaded):
                await service.send(jobs, texts("c"))

    run(scenario)


def test_queues_and_consumers_survive_a_restart(bench):
    bench.consumers = []

    async def scenario():
        async with bench.service() as service:
            registry = service.registry
            queue = await registry.create("a", 1, delay_s=3)
            settings = Consumer(queue="a", max_retries=7)
            await registry.attach(queue, "worker", "app", settings, 1)
            with pytest.raises(ConsumerExists):
                await registry.attach(queue, "http_pull", "", settings, 1)
            with pytest.raises(QueueExists):
                await registry.create("a", 1)
            for bad in ("", "a b", "-a", "a" * 64, "é"):
                with pytest.raises(InvalidName):
                    await registry.create(bad, 1)
        async with bench.service() as service:
            registry = service.registry
            again = registry.named("a")
            assert (again.delay_s, again.id) == (3, queue.id)
            attached = registry.consumer(again)
            assert attached.settings.max_retries == 7
            renamed = await registry.change(again, 2, name="b")
            with pytest.raises(QueueNotFound):
                registry.named("a")
            await registry.detach(renamed, attached.id)
            with pytest.raises(ConsumerNotFound):
                registry.attached(renamed, attached.id)
            with pytest.raises(NotPulled):
                await service.pulling.pull(renamed, 1, None)
            await service.delete(renamed)
            assert registry.every() == []

    run(scenario)


def test_a_pulled_message_that_is_never_acknowledged_becomes_a_dead_letter(bench):
    bench.consumers = []

    async def scenario():
        async with bench.service() as service:
            registry = service.registry
            queue = await registry.create("jobs", 1)
            dead = await registry.create("dead", 1)
            settings = Consumer(queue="jobs", max_retries=1, dead_letter_queue="dead")
            await registry.attach(queue, "http_pull", "", settings, 1)
            await service.send(queue, texts("a"))
            for number in (1, 2):
                (leased,) = await service.pulling.pull(queue, 5, 1000)
                assert leased.message.attempts == number
                bench.now += 2
            assert await service.pulling.pull(queue, 5, 1000) == []
            assert service.messages.metrics(dead.key).count == 1
            assert service.messages.metrics(queue.key).count == 0

    run(scenario)


def test_a_file_of_another_version_is_refused(bench):
    async def scenario():
        async with bench.service():
            pass
        with sqlite3.connect(bench.folder / "queues.sqlite") as db:
            db.execute("PRAGMA user_version = 99")
        db.close()
        with pytest.raises(StorageError, match="another version"):
            async with bench.service():
                pass

    run(scenario)


def test_a_damaged_file_is_told(bench):
    (bench.folder / "queues.sqlite").write_bytes(b"not a database" * 1000)

    async def scenario():
        with pytest.raises(StorageError, match=r"queues\.sqlite"):
            async with bench.service():
                pass

    run(scenario)
