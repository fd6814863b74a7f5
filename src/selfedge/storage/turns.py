"""Those who change the same thing take turns; others do not wait for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """One turn at a time for each name."""

    def __init__(self) -> None:
        self._over: dict[bytes, asyncio.Event] = {}

    @asynccontextmanager
    async def of(self, name: bytes) -> AsyncIterator[None]:
        """Wait until nobody else has the turn of `name`, and hold it."""
        while (event := self._over.get(name)) is not None:
            await event.wait()
        over = self._over[name] = asyncio.Event()
        try:
            yield
        finally:
            del self._over[name]
            over.set()
