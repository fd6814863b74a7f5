"""Micro-batching of concurrent jobs."""

import asyncio
import threading
from collections.abc import Sequence

import pytest
from ai_support import run

from selfedge.bindings.ai.runners.text_embeddings.batching import Batcher


class Recorder:
    """Doubles numbers, remembers the batches, and waits for `gate` each time."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.busy = threading.Event()

    def __call__(self, jobs: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(jobs))
        self.busy.set()
        self.gate.wait(10)
        if 13 in jobs:
            raise ValueError("13")
        return [2 * job for job in jobs]


def batcher(compute: Recorder, limit: int = 8) -> Batcher[int, int]:
    return Batcher(compute, weigh=lambda _: 1, limit=limit)


async def while_busy(found: Batcher[int, int], compute: Recorder) -> asyncio.Task[int]:
    """Return a first job that is being computed until the gate opens."""
    compute.gate.clear()
    first = asyncio.create_task(found.submit(0))
    await asyncio.to_thread(compute.busy.wait, 10)
    return first


def test_jobs_that_arrive_during_a_batch_become_the_next_one() -> None:
    compute = Recorder()

    async def test() -> None:
        found = batcher(compute)
        first = await while_busy(found, compute)
        others = [asyncio.create_task(found.submit(n)) for n in range(1, 5)]
        await asyncio.sleep(0)
        compute.gate.set()
        assert await asyncio.gather(first, *others) == [0, 2, 4, 6, 8]
        found.close()

    run(test())
    assert compute.batches == [[0], [1, 2, 3, 4]]


def test_a_batch_has_a_limit() -> None:
    compute = Recorder()

    async def test() -> None:
        found = batcher(compute, limit=2)
        first = await while_busy(found, compute)
        others = [asyncio.create_task(found.submit(n)) for n in (1, 2, 3)]
        await asyncio.sleep(0)
        compute.gate.set()
        await asyncio.gather(first, *others)
        found.close()

    run(test())
    assert compute.batches == [[0], [1, 2], [3]]


def test_a_cancelled_job_is_not_computed() -> None:
    compute = Recorder()

    async def test() -> None:
        found = batcher(compute)
        first = await while_busy(found, compute)
        left = asyncio.create_task(found.submit(1))
        stays = asyncio.create_task(found.submit(2))
        await asyncio.sleep(0)
        left.cancel()
        await asyncio.wait([left])
        compute.gate.set()
        assert await asyncio.gather(first, stays) == [0, 4]
        found.close()

    run(test())
    assert compute.batches == [[0], [2]]


def test_a_failure_reaches_every_caller_and_the_next_batch_runs() -> None:
    compute = Recorder()

    async def test() -> None:
        found = batcher(compute)
        with pytest.raises(ValueError, match="13"):
            await found.submit(13)
        assert await found.submit(4) == 8
        found.close()

    run(test())


def test_a_lone_job_is_computed_at_once() -> None:
    compute = Recorder()

    async def test() -> None:
        found = batcher(compute)
        submitting = asyncio.create_task(found.submit(1))
        await asyncio.sleep(0)  # to `submit`, which waits for the result
        assert await asyncio.to_thread(compute.busy.wait, 10)
        assert await submitting == 2
        found.close()

    run(test())
    assert compute.batches == [[1]]


def test_a_job_over_the_limit_runs_alone() -> None:
    compute = Recorder()

    async def test() -> None:
        found = Batcher(compute, weigh=lambda job: job, limit=8)
        first = await while_busy(found, compute)
        others = [asyncio.create_task(found.submit(n)) for n in (3, 20, 4, 4)]
        await asyncio.sleep(0)
        compute.gate.set()
        await asyncio.gather(first, *others)
        found.close()

    run(test())
    assert compute.batches == [[0], [3], [20], [4, 4]]
