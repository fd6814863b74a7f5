"""What accounts share is made once, and ends with the last that uses it."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from selfedge.sharing import Shared


class Made:
    """Makes numbered things; the log tells when each began and ended."""

    def __init__(self):
        self.log = []

    @asynccontextmanager
    async def __call__(self):
        number = len(self.log)
        self.log.append(f"made {number}")
        await asyncio.sleep(0)  # others may ask meanwhile
        try:
            yield number
        finally:
            self.log.append(f"ended {number}")


def test_all_who_ask_get_one_thing_until_the_last_has_gone():
    made, shared = Made(), Shared()

    async def use(start, stop):
        async with shared.lent("host", made) as thing:
            start.set()
            await stop.wait()
            return thing

    async def body():
        pairs = [(asyncio.Event(), asyncio.Event()) for _ in range(2)]
        tasks = [asyncio.create_task(use(*pair)) for pair in pairs]
        for (start, stop), task in zip(pairs, tasks, strict=True):
            assert made.log in ([], ["made 0"])
            await start.wait()
            stop.set()
            assert await task == 0
        assert made.log == ["made 0", "ended 0"]
        async with shared.lent("host", made) as thing:
            assert thing == 2
        async with shared.lent("another", made) as thing:
            assert thing == 4

    asyncio.run(body())


def test_what_cannot_be_made_is_tried_again():
    shared = Shared()

    @asynccontextmanager
    async def failing():
        raise OSError("no room")
        yield

    async def body():
        with pytest.raises(OSError, match="no room"):
            async with shared.lent("host", failing):
                pass
        async with shared.lent("host", Made()) as thing:
            assert thing == 0

    asyncio.run(body())
