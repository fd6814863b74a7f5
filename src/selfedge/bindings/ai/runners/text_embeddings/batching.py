"""Micro-batching: what arrives while a batch is computed becomes the next batch.

Nothing ever waits for company. Under load the batches fill by themselves, and while
one is computed, the answers of the last one are on their way.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Generic, TypeAlias, TypeVar

J = TypeVar("J")
R = TypeVar("R")

Waiting: TypeAlias = tuple[J, asyncio.Future[R]]


class Batcher(Generic[J, R]):
    """Runs `compute` in one thread, on as many waiting jobs as fit.

    Jobs share a run as long as their weights add up to at most `limit`; one that
    is heavier runs alone.
    """

    def __init__(
        self,
        compute: Callable[[Sequence[J]], Sequence[R]],
        *,
        weigh: Callable[[J], int],
        limit: int,
    ) -> None:
        self._compute = compute
        self._weigh = weigh
        self._limit = limit
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="batch")
        self._waiting: deque[Waiting[J, R]] = deque()
        self._busy = False

    async def submit(self, job: J) -> R:
        """Return the result of `job`; a cancelled one is dropped if it still waits."""
        loop = asyncio.get_running_loop()
        result: asyncio.Future[R] = loop.create_future()
        self._waiting.append((job, result))
        if not self._busy:
            self._next(loop)
        return await result

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False)

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        batch = self._take()
        self._busy = bool(batch)
        if batch:
            running = self._thread.submit(self._compute, [job for job, _ in batch])
            running.add_done_callback(partial(self._computed, loop, batch))

    def _computed(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: Sequence[Waiting[J, R]],
        done: "Future[Sequence[R]]",
    ) -> None:
        """Tell the loop; this is still the thread."""
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(self._answer, loop, batch, done)

    def _answer(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: Sequence[Waiting[J, R]],
        done: "Future[Sequence[R]]",
    ) -> None:
        self._next(loop)  # first, so that the thread has something to do
        error = done.exception()
        results = () if error else done.result()
        for place, (_, waiting) in enumerate(batch):
            if waiting.done():
                continue
            if error:
                waiting.set_exception(error)
            else:
                waiting.set_result(results[place])

    def _take(self) -> list[Waiting[J, R]]:
        batch: list[Waiting[J, R]] = []
        room = self._limit
        while self._waiting:
            job, result = self._waiting[0]
            if batch and self._weigh(job) > room:
                break
            self._waiting.popleft()
            if not result.done():
                batch.append((job, result))
                room -= self._weigh(job)
        return batch
