"""A D1 service in a folder, and short ways to ask it."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from selfedge.bindings.d1.compile import resource
from selfedge.bindings.d1.database.model import Query, Result
from selfedge.bindings.d1.limits import Limits
from selfedge.bindings.d1.service import D1Service

ID = "the-id"
RESOURCE = resource(ID, "people")
ENDLESS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
    " SELECT count(*) FROM n"
)


class Time:
    """A clock that a test moves."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def service(
    home: Path, *, limits: Limits | None = None, clock: Time | None = None
) -> AsyncIterator[D1Service]:
    """Run a service whose database RESOURCE is there."""
    await asyncio.to_thread(home.mkdir, exist_ok=True)
    numbers = itertools.count(1)
    d1 = D1Service(
        home,
        clock=clock or Time(),
        notice=lambda _: None,
        new_id=lambda: f"id-{next(numbers)}",
        limits=limits,
    )
    tending = asyncio.create_task(d1.tend())
    d1.bound([RESOURCE])
    try:
        yield d1
    finally:
        tending.cancel()
        with suppress(asyncio.CancelledError):
            await tending
        await d1.close()


async def results(d1: D1Service, *sql: str) -> list[Result]:
    """Run each text as a query of one batch."""
    found, _ = await d1.query(RESOURCE, [Query(one) for one in sql], list)
    return found


async def rows(d1: D1Service, sql: str, *parameters: Any) -> list[Any]:
    """Return the rows of one query."""
    found, _ = await d1.query(RESOURCE, [Query(sql, parameters)], list)
    return list(found[0].rows)


def run(body: Callable[..., Awaitable[Any]], home: Path, **options: Any) -> Any:
    """Run `body` with a service."""

    async def main() -> Any:
        async with service(home, **options) as d1:
            return await body(d1)

    return asyncio.run(main())
