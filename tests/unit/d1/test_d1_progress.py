"""Work that takes longer than an answer may is asked for again."""

import asyncio

import pytest

from selfedge.bindings.d1.errors import TransferFailed
from selfedge.bindings.d1.transfer.progress import KEPT_MAX, Progress


async def returned(value):
    return value


async def failed():
    raise TransferFailed("no")


def test_an_answer_comes_before_the_work_ends_and_again_after():
    async def main():
        progress, go = Progress(patience_s=0.01), asyncio.Event()

        async def work():
            await go.wait()
            return "done"

        progress.start("d", "mark", work())
        first = await progress.result("d", "mark")
        busy = progress.busy("d"), progress.busy("other")
        go.set()
        second = await progress.result("d", "mark")
        return first, busy, second, progress.known("d", "mark"), progress.busy("d")

    assert asyncio.run(main()) == (None, (True, False), "done", False, False)


def test_a_failure_is_raised_to_who_asks_and_troubles_nobody_else():
    async def main():
        progress = Progress()
        progress.start("d", "asked", failed())
        progress.start("d", "forgotten", failed())
        with pytest.raises(TransferFailed):
            await progress.result("d", "asked")
        await progress.close()

    asyncio.run(main())


def test_what_nobody_asks_for_is_forgotten_in_the_end():
    async def main():
        progress = Progress()
        for number in range(KEPT_MAX * 2):
            progress.start("d", str(number), returned(number))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        return progress.known("d", "0"), progress.known("d", str(KEPT_MAX * 2 - 1))

    assert asyncio.run(main()) == (False, True)
