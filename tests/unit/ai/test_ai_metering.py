"""Figures of models are counted as their answers pass."""

import asyncio

import pytest

from selfedge.bindings.ai.jobs.text_generation import Text, Usage
from selfedge.bindings.ai.metering import Meter


async def answer(*parts):
    for part in parts:
        yield part


def told(meter):
    return {one.name: one.value for one in meter.figures() if one.of == "m"}


def test_tokens_and_the_first_piece_are_counted():
    async def run():
        meter = Meter()
        parts = answer(
            Text(text="a"), Text(text="b"), Usage(prompt_tokens=3, completion_tokens=2)
        )
        async for _ in meter.watched("m", parts):
            assert told(meter)["ai_under_way"] == 1
        return told(meter)

    found = asyncio.run(run())
    assert found["ai_under_way"] == 0
    assert (found["ai_prompt_tokens"], found["ai_completion_tokens"]) == (3, 2)
    assert found["ai_first_token_seconds"].count == 1


def test_a_call_that_is_broken_off_is_no_longer_under_way():
    async def run():
        meter = Meter()
        watched = meter.watched("m", answer(Text(text="a"), Text(text="b")))
        await anext(watched)
        await watched.aclose()
        return told(meter)

    assert asyncio.run(run())["ai_under_way"] == 0


def test_a_call_that_fails_is_no_longer_under_way():
    async def broken():
        raise RuntimeError
        yield

    async def run():
        meter = Meter()
        with pytest.raises(RuntimeError):
            async for _ in meter.watched("m", broken()):
                pass
        return told(meter)

    assert asyncio.run(run()) == {"ai_under_way": 0}
