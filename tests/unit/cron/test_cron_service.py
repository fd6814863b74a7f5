"""The scheduler on a clock of the test: each occurrence once, whatever happens."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from harness.events import Dispatcher
from selfedge.binding import Trigger
from selfedge.bindings.cron import limits
from selfedge.bindings.cron.expression import parse
from selfedge.bindings.cron.service import CronService
from selfedge.storage.embedded import EmbeddedStorage

START = 1_795_575_600.0  # 2026-11-25 03:00:00 UTC
OK = {"outcome": "ok"}


class Bench:
    def __init__(self, folder):
        self.folder = folder
        self.now = START + 30
        self.notices: list[str] = []
        self.crons = [("app", "* * * * *")]
        self.worker = Dispatcher(folder / "s")

    @asynccontextmanager
    async def service(self):
        async with EmbeddedStorage(self.folder / "state") as storage:
            service = CronService(
                storage.records("cron"),
                clock=lambda: self.now,
                notice=self.notices.append,
                dispatch=lambda _: self.worker.socket,
                triggers=lambda: [
                    Trigger(kind="cron", script=script, settings=parse(text))
                    for script, text in self.crons
                ],
            )
            await service.start()
            try:
                yield service
            finally:
                await service.close()

    async def at(self, service, seconds):
        """Have it be so many seconds after START."""
        self.now = START + seconds
        await service.tick()

    @property
    def fired(self):
        """(expression, seconds after START) of each event."""
        return [(one["cron"], one["time"] / 1000 - START) for one in self.worker.events]


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(limits, "RETRY_S", 0.01)


def run(scenario):
    asyncio.run(scenario())


def test_each_minute_fires_once_however_often_it_is_looked_at(bench):
    async def scenario():
        async with bench.worker.listening(), bench.service() as service:
            await service.tick()  # the minute that it started in is not its own
            for seconds in (60, 60.5, 61, 119, 120, 121):
                await bench.at(service, seconds)
            await bench.worker.got(2)
            assert bench.fired == [("* * * * *", 60), ("* * * * *", 120)]

    run(scenario)


def test_only_what_matches_fires_for_its_own_worker(bench):
    bench.crons = [("app", "1 * * * *"), ("app", "*/2 3 * * *"), ("other", "1 3 * * *")]

    async def scenario():
        async with bench.worker.listening(), bench.service() as service:
            await bench.at(service, 60)
            await bench.worker.got(2)
            await bench.at(service, 120)
            await bench.worker.got(3)
            assert sorted(bench.fired) == [
                ("*/2 3 * * *", 120),
                ("1 * * * *", 60),
                ("1 3 * * *", 60),
            ]

    run(scenario)


def test_a_schedule_that_is_removed_fires_no_more(bench):
    async def scenario():
        async with bench.worker.listening(), bench.service() as service:
            await bench.at(service, 60)
            await bench.worker.got(1)
            bench.crons = []
            await bench.at(service, 120)
            bench.crons = [("app", "* * * * *")]
            await bench.at(service, 180)
            await bench.worker.got(2)
            assert [at for _, at in bench.fired] == [60, 180]

    run(scenario)


def test_a_restart_in_a_minute_neither_repeats_nor_skips(bench):
    async def scenario():
        async with bench.worker.listening():
            async with bench.service() as service:
                await bench.at(service, 60)
                await bench.worker.got(1)
                await bench.worker.idle()
            bench.now = START + 70
            async with bench.service() as service:
                await service.tick()
            bench.now = START + 121  # it was being started at the full minute
            async with bench.service() as service:
                await service.tick()
                await bench.worker.got(2)
            assert [at for _, at in bench.fired] == [60, 120]

    run(scenario)


def test_what_was_missed_is_not_made_up_for(bench):
    async def scenario():
        async with bench.worker.listening():
            async with bench.service() as service:
                await bench.at(service, 60)
                await bench.worker.got(1)
                await bench.worker.idle()
            bench.now = START + 601
            async with bench.service() as service:
                await service.tick()
                await bench.at(service, 660)
                await bench.worker.got(2)
            assert [at for _, at in bench.fired] == [60, 660]

    run(scenario)


def test_a_run_that_a_crash_cut_off_is_run_again(bench):
    async def never(_):
        await asyncio.Event().wait()

    async def scenario():
        async with bench.worker.listening():
            bench.worker.answer = never
            async with bench.service() as service:
                await bench.at(service, 60)
                await bench.worker.got(1)
            bench.worker.answer = lambda _: OK
            bench.now = START + 90
            async with bench.service() as service:
                await bench.worker.got(2)
                await bench.worker.idle()
            async with bench.service() as service:
                await service.tick()
            assert [at for _, at in bench.fired] == [60, 60]

    run(scenario)


def test_a_clock_that_is_set_back_repeats_nothing(bench):
    async def scenario():
        async with bench.worker.listening(), bench.service() as service:
            await bench.at(service, 120)
            await bench.worker.got(1)
            await bench.at(service, 60)
            await bench.at(service, 180)
            await bench.worker.got(2)
            assert [at for _, at in bench.fired] == [120, 180]

    run(scenario)


def test_a_failed_run_is_retried_six_times_and_told(bench):
    bench.worker.answer = lambda _: {"outcome": "exception"}

    async def scenario():
        async with bench.worker.listening(), bench.service() as service:
            await bench.at(service, 60)
            await bench.worker.got(1 + limits.RETRIES)
            async with asyncio.timeout(5):
                while not bench.notices:
                    await asyncio.sleep(0.005)
            assert len(bench.fired) == 1 + limits.RETRIES
            assert "failed" in bench.notices[0]

    run(scenario)


def test_no_retry_is_honoured(bench):
    bench.worker.answer = lambda _: {"outcome": "exception", "noRetry": True}

    async def scenario():
        async with bench.worker.listening(), bench.service() as service:
            await bench.at(service, 60)
            await bench.worker.got(1)
            await bench.worker.idle()
            await asyncio.sleep(0.05)
            assert len(bench.fired) == 1

    run(scenario)


def test_a_retry_gives_way_to_the_next_occurrence(bench, monkeypatch):
    monkeypatch.setattr(limits, "RETRY_S", 100.0)
    bench.worker.answer = lambda _: {"outcome": "exception"}

    async def scenario():
        async with bench.worker.listening(), bench.service() as service:
            await bench.at(service, 60)
            async with asyncio.timeout(5):
                while not bench.notices:
                    await asyncio.sleep(0.005)
            assert len(bench.fired) == 1

    run(scenario)


def test_it_looks_at_the_clock_by_itself(bench):
    async def scenario():
        async with bench.worker.listening(), bench.service() as service:
            bench.now = START + 60
            running = asyncio.create_task(service.run())
            await bench.worker.got(1)
            running.cancel()

    run(scenario)
