"""Queries that wait while others run are asked together when those are done."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from selfedge.bindings.vectorize.engine.contract import Hit
from selfedge.bindings.vectorize.errors import VectorizeError
from selfedge.bindings.vectorize.index.model import Query
from selfedge.bindings.vectorize.index.queries import Found

TOGETHER_MAX = 16  # more gain nothing, and the first waits for the last

Ask: TypeAlias = Callable[[Sequence[Query]], Awaitable[Sequence[Found]]]


class Crowd:
    """Those who query one index; one call at a time runs for them."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._waiting: list[tuple[Query, asyncio.Future[Sequence[Hit]]]] = []
        self._task: asyncio.Task[None] | None = None

    async def query(self, query: Query) -> Sequence[Hit]:
        """Return what is near, nearest first; raise what `ask` raises or answers."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[Hit]] = loop.create_future()
        self._waiting.append((query, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        while self._waiting:
            some = self._waiting[:TOGETHER_MAX]
            del self._waiting[:TOGETHER_MAX]
            try:
                found = await self._ask([query for query, _ in some])
            except Exception as cause:  # noqa: BLE001 - each of those who wait gets it
                for _, answer in some:
                    _settle(answer, cause)
            else:
                for (_, answer), result in zip(some, found, strict=True):
                    _settle(answer, result)
        self._task = None


def _settle(answer: asyncio.Future[Sequence[Hit]], result: Found | Exception) -> None:
    if answer.done():
        return  # nobody waits any more
    if isinstance(result, VectorizeError | Exception):
        answer.set_exception(result)
    else:
        answer.set_result(result)
