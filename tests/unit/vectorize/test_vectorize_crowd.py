"""Queries that are asked at once, and answered together."""

import asyncio
from pathlib import Path

from vectorize_support import service

from selfedge.bindings.vectorize.engine.contract import Vector
from selfedge.bindings.vectorize.errors import UnknownVector, WrongQueryWidth
from selfedge.bindings.vectorize.index.model import Query, Wanted

ODD = (Wanted("odd", "eq", (1,)),)


def test_each_of_many_queries_gets_its_own_answer(tmp_path: Path) -> None:
    """Also those that are refused, and those whose filters differ."""
    angles = [[1.0, number / 10] for number in range(30)]
    vectors = [
        Vector(str(number), values, metadata=b'{"odd":%d}' % (number % 2))
        for number, values in enumerate(angles)
    ]
    asked = [
        *(Query(values=values, top_k=1) for values in angles),
        Query(values=[1.0, 2.0, 3.0]),
        *(Query(values=values, top_k=1, conditions=ODD) for values in angles),
        Query(vector_id="absent"),
    ]

    async def run() -> list[object]:
        async with service(tmp_path) as made:
            await made.mutate("i", "insert", vectors=vectors[:1])
            await made.add_metadata_index("i", "odd", "number")
            await made.mutate("i", "upsert", vectors=vectors)
            answers = await asyncio.gather(
                *(made.query("i", query) for query in asked), return_exceptions=True
            )
        return [
            answer if isinstance(answer, BaseException) else answer[0].vector.id
            for answer in answers
        ]

    found = asyncio.run(run())
    assert found[:30] == [str(number) for number in range(30)]
    assert isinstance(found[30], WrongQueryWidth)
    assert all(int(str(number)) % 2 for number in found[31:61])
    assert isinstance(found[61], UnknownVector)


def test_queries_that_nobody_awaits_any_more_hold_up_no_other(tmp_path: Path) -> None:
    query = Query(values=[1.0, 0.0])

    async def run() -> None:
        async with service(tmp_path) as made:
            await made.mutate("i", "insert", vectors=[Vector("a", [1.0, 0.0])])
            asked = [asyncio.create_task(made.query("i", query)) for _ in range(20)]
            await asyncio.sleep(0)
            for task in asked[::2]:
                task.cancel()
            found = await asyncio.gather(*asked, return_exceptions=True)
            for one in found[1::2]:
                assert not isinstance(one, BaseException)
                assert [hit.vector.id for hit in one] == ["a"]
            assert all(isinstance(one, asyncio.CancelledError) for one in found[::2])

    asyncio.run(run())
