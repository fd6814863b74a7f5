"""Unmodified code in the real engine: `env.V` is what Workers know."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import pytest
from vectorize_engine import Worker, worker
from vectorize_support import Node, node

pytestmark = pytest.mark.slow

TABLE = [
    {"binding": "V", "index_name": "docs"},
    {"binding": "SAME", "index_name": "docs"},
    {"binding": "OTHER", "index_name": "other é"},
]


def in_worker(root: Path, test: Callable[[Worker, Node], Awaitable[None]]) -> None:
    async def run() -> None:
        async with (
            node(root, hosted=True) as started,
            worker(started, root, TABLE) as running,
        ):
            await test(running, started)

    asyncio.run(run())


def test_a_worker_uses_all_of_it(tmp_path: Path) -> None:
    async def test(env: Worker, node: Node) -> None:
        assert (await env.result("describe"))["vectorCount"] == 0
        first = {"id": "a", "values": [1, 0, 0], "metadata": {"k": "é", "n": 1}}
        second = {"id": "日本", "values": [0, 2.5, 0], "namespace": "ns"}
        inserted = await env.result("insert", [first, second])
        assert UUID(inserted["mutationId"])
        info = await env.result("describe", binding="SAME")
        assert (info["vectorCount"], info["dimensions"]) == (2, 3)
        assert info["processedUpToMutation"] == inserted["mutationId"]

        found = await env.result(
            "query", [1, 0.1, 0], {"topK": 1, "returnMetadata": "all"}
        )
        (match,) = found["matches"]
        assert (match["id"], match["metadata"]) == ("a", {"k": "é", "n": 1})
        assert match["score"] == pytest.approx(0.995037, abs=1e-6)
        for option in (True, False, "none", "indexed"):
            asked = {"returnMetadata": option, "returnValues": True}
            await env.result("query", [1, 0, 0], asked)
        by_id = await env.result("queryById", "日本", {"namespace": "ns"})
        assert [match["id"] for match in by_id["matches"]] == ["日本"]
        await node.fields(n="number")
        await env.result("upsert", [first])
        filtered = await env.result("query", [1, 0, 0], {"filter": {"n": {"$lt": 2}}})
        assert [match["id"] for match in filtered["matches"]] == ["a"]

        assert await env.result("getByIds", ["日本", "no", "a"]) == [second, first]
        await env.result("upsert", [{"id": "a", "values": [0, 0, 1]}])
        assert await env.result("getByIds", ["a"]) == [{"id": "a", "values": [0, 0, 1]}]
        await env.result("deleteByIds", ["a"])
        assert await env.result("getByIds", ["a"]) == []
        assert (await env.result("describe", binding="OTHER"))["vectorCount"] == 0
        assert len(node.notices) == 1

    in_worker(tmp_path, test)


def test_a_worker_sees_cloudflares_errors(tmp_path: Path) -> None:
    async def test(env: Worker, _node: Node) -> None:
        await env.result("insert", [{"id": "a", "values": [1, 2]}])
        assert await env.call("insert", [{"id": "b", "values": [1, 2, 3]}]) == {
            "error": "VECTOR_INSERT_ERROR (code = 40012): invalid vector for"
            ' id="b", expected 2 dimensions, and got 3 dimensions',
            "cause": 'invalid vector for id="b", expected 2 dimensions,'
            " and got 3 dimensions",
        }
        for call, args, said in [
            ("insert", [[]], "VECTOR_INSERT_ERROR (code = 40023): "),
            (
                "upsert",
                [[{"id": "x" * 65, "values": [1, 2]}]],
                "(code = 40008): id too",
            ),
            ("query", [[1, 2, 3]], "VECTOR_QUERY_ERROR (code = 40006): invalid query"),
            ("query", [[1, 2], {"topK": 101}], "(code = 40025): max top K is 100"),
            ("query", [[1, 2], {"filter": {"a": {"$x": 1}}}], "(code = 40026): "),
            ("getByIds", [["x" * 65]], "VECTOR_GET_ERROR (code = 40008): id too long"),
            ("deleteByIds", [[""]], "VECTOR_DELETE_ERROR (code = 40008): id is empty"),
        ]:
            assert said in (await env.call(call, *args))["error"]

    in_worker(tmp_path, test)


def test_a_full_batch_of_wide_vectors_passes(tmp_path: Path) -> None:
    async def test(env: Worker, _node: Node) -> None:
        for start in (0, 1000):
            batch = [
                {"id": str(n), "values": [float(n % 7 - 3), *[0.25] * 767]}
                for n in range(start, start + 1000)
            ]
            await env.result("insert", batch)
        assert (await env.result("describe"))["vectorCount"] == 2000
        refused = await env.call(
            "insert", [{"id": f"{n}", "values": [1]} for n in range(1001)]
        )
        assert "(code = 40007): too many vectors" in refused["error"]

    in_worker(tmp_path, test)
