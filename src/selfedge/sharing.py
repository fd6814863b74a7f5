"""What the services of several accounts of one node use together."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

T = TypeVar("T")


@dataclass(slots=True)
class _Thing:
    value: Any
    end: AsyncExitStack
    users: int = 0


class Shared:
    """Things by their names: the first who asks has one made, the last ends it."""

    def __init__(self) -> None:
        import asyncio  # noqa: PLC0415 - what compiles a Worker has no time for it

        self._things: dict[str, _Thing] = {}
        self._changing = asyncio.Lock()

    @asynccontextmanager
    async def lent(
        self, name: str, make: Callable[[], AbstractAsyncContextManager[T]]
    ) -> AsyncIterator[T]:
        """Lend the thing `name`; `make` is not called where it is there already."""
        async with self._changing:
            thing = self._things.get(name)
            if thing is None:
                end = AsyncExitStack()
                thing = _Thing(await end.enter_async_context(make()), end)
                self._things[name] = thing
            thing.users += 1
        try:
            yield cast("T", thing.value)
        finally:
            async with self._changing:
                thing.users -= 1
                if not thing.users:
                    del self._things[name]
                    await thing.end.aclose()
