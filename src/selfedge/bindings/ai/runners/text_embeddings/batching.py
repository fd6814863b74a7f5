"""Micro-batching: what arrives while a batch is computed becomes the next batch."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, TypeVar

J = TypeVar("J")
R = TypeVar("R")

WINDOW_S = 0.003
"""How long a batch may wait for the callers of the last one to come back."""


class Batcher(Generic[J, R]):
    """Runs `compute` in one thread, on as many waiting jobs as fit.

    A lone caller never waits. After a batch of several, the next one waits a
    moment for as many to come again.
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
        self._waiting: deque[tuple[J, asyncio.Future[R]]] = deque()
        self._arrived = asyncio.Event()
        self._last = 0
        self._drain: asyncio.Task[None] | None = None

    async def submit(self, job: J) -> R:
        """Return the result of `job`; a cancelled one is dropped if it still waits."""
        result: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((job, result))
        self._arrived.set()
        if self._drain is None or self._drain.done():
            self._drain = asyncio.create_task(self._run())
        return await result

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False)

    async def _run(self) -> None:
        while self._waiting:
            await self._gather()
            batch = self._take()
            self._last = len(batch)
            if batch:
                await self._answer(batch)

    async def _gather(self) -> None:
        if self._last < 2:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(WINDOW_S):
                while len(self._waiting) < self._last:
                    self._arrived.clear()
                    await self._arrived.wait()

    def _take(self) -> list[tuple[J, asyncio.Future[R]]]:
        batch: list[tuple[J, asyncio.Future[R]]] = []
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

    async def _answer(self, batch: Sequence[tuple[J, asyncio.Future[R]]]) -> None:
        loop = asyncio.get_running_loop()
        jobs = [job for job, _ in batch]
        try:
            results = await loop.run_in_executor(self._thread, self._compute, jobs)
        except Exception as error:  # noqa: BLE001 - each waiting caller raises it
            for _, waiting in batch:
                if not waiting.done():
                    waiting.set_exception(error)
            return
        for (_, waiting), result in zip(batch, results, strict=True):
            if not waiting.done():
                waiting.set_result(result)
