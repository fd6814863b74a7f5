"""What an index does, over HTTP as the engine's client asks, with a real engine."""

import asyncio
import json
import logging
import struct
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vectorize_support import Node, cosine, gaussian, node, on_node, service

from selfedge.bindings.vectorize.engine.contract import Metric, Search, Vector
from selfedge.bindings.vectorize.engine.qdrant import QdrantEngine
from selfedge.bindings.vectorize.errors import MetadataIndexRefused


def test_an_index_is_empty_until_its_first_insert_makes_it(tmp_path: Path) -> None:
    async def test(node: Node) -> None:
        empty = {
            "vectorCount": 0,
            "dimensions": 0,
            "processedUpToDatetime": None,
            "processedUpToMutation": None,
        }
        assert await node.call("GET", "/info") == (200, empty)
        assert await node.query([1, 2, 3]) == []
        assert await node.call("POST", "/getByIds", {"ids": ["a"]}) == (200, [])
        assert (await node.call("POST", "/deleteByIds", {"ids": ["a"]}))[0] == 200
        assert await node.call("GET", "/info") == (200, empty)
        assert node.notices == []

        status, answer = await node.write("/insert", {"id": "a", "values": [1, 0, 0]})
        assert status == 200
        assert UUID(answer["mutationId"])
        assert await node.call("GET", "/info") == (
            200,
            {
                "vectorCount": 1,
                "dimensions": 3,
                "processedUpToDatetime": "2023-11-14T22:13:20.000Z",
                "processedUpToMutation": answer["mutationId"],
            },
        )
        (notice,) = node.notices
        assert "'docs' did not exist" in notice
        assert "3 dimensions" in notice
        assert "cosine" in notice

    on_node(tmp_path, test)


def test_insert_keeps_the_first_and_upsert_replaces_all(tmp_path: Path) -> None:
    async def test(node: Node) -> None:
        async def stored() -> Any:
            return (await node.call("POST", "/getByIds", {"ids": ["a"]}))[1]

        first = {"id": "a", "values": [1, 2.5], "metadata": {"k": 1}, "namespace": "n"}
        await node.write("/insert", first)
        await node.write(
            "/insert", {"id": "a", "values": [9, 9]}, {"id": "b", "values": [3, 4]}
        )
        assert await stored() == [first]
        await node.write("/upsert", {"id": "a", "values": [7, 8]})
        assert await stored() == [{"id": "a", "values": [7, 8]}]
        assert (await node.call("GET", "/info"))[1]["vectorCount"] == 2

    on_node(tmp_path, test)


def test_get_by_ids_keeps_the_order_asked_and_skips_the_absent(tmp_path: Path) -> None:
    async def test(node: Node) -> None:
        names = ["é", "日本", "🙂", "a/b?c#d", "x" * 64, "0"]
        await node.write("/insert", *({"id": n, "values": [1, 2]} for n in names))
        asked = [*reversed(names), "absent"]
        _, found = await node.call("POST", "/getByIds", {"ids": asked})
        assert [vector["id"] for vector in found] == list(reversed(names))
        await node.call("POST", "/deleteByIds", {"ids": ["é", "absent", "🙂"]})
        _, found = await node.call("POST", "/getByIds", {"ids": names})
        assert [vector["id"] for vector in found] == ["日本", "a/b?c#d", "x" * 64, "0"]
        assert len(await node.query([1, 2], topK=10)) == 4

    on_node(tmp_path, test)


def test_scores_are_those_of_the_definition(tmp_path: Path) -> None:
    vectors = gaussian(400, 24, seed=1)
    queries = gaussian(10, 24, seed=2)

    async def test(node: Node) -> None:
        await node.write(
            "/insert",
            *({"id": f"v{n}", "values": values} for n, values in enumerate(vectors)),
        )
        for asked in queries:
            scores = {
                f"v{n}": cosine(asked, values) for n, values in enumerate(vectors)
            }
            expected = sorted(scores, key=lambda name: -scores[name])[:20]
            found = await node.query(asked, topK=20)
            assert [match["id"] for match in found] == expected
            for match in found:
                assert match["score"] == pytest.approx(scores[match["id"]], abs=1e-6)

    on_node(tmp_path, test)


def test_scores_stay_within_minus_one_and_one(tmp_path: Path) -> None:
    async def test(node: Node) -> None:
        await node.write(
            "/insert",
            {"id": "same", "values": [0.6000004, 0.8]},
            {"id": "huge", "values": [3e38, 3e38]},
            {"id": "tiny", "values": [1e-30, 0]},
            {"id": "zero", "values": [0, 0]},
            {"id": "opposite", "values": [-6, -8]},
        )
        found = await node.query([0.6000004, 0.8], topK=10)
        scores = {match["id"]: match["score"] for match in found}
        assert scores["same"] == 1.0
        assert scores["huge"] == pytest.approx(0.98995, abs=1e-4)
        assert scores["tiny"] == pytest.approx(0.6, abs=1e-4)
        assert scores["zero"] == 0
        assert scores["opposite"] == pytest.approx(-1.0)
        assert (await node.query([1e-30, 0]))[0]["id"] == "tiny"

    on_node(tmp_path, test)


def test_values_come_back_as_the_32_bit_floats_they_were(tmp_path: Path) -> None:
    vectors = gaussian(40, 7, seed=3)

    async def test(node: Node) -> None:
        await node.write(
            "/insert",
            *({"id": f"{n:02}", "values": values} for n, values in enumerate(vectors)),
        )
        ids = [f"{n:02}" for n in range(40)]
        _, found = await node.call("POST", "/getByIds", {"ids": ids})
        for vector, values in zip(found, vectors, strict=True):
            assert vector["values"] == [
                *struct.unpack("7f", struct.pack("7f", *values))
            ]
        match = (await node.query(vectors[5], topK=1, returnValues=True))[0]
        assert match["values"] == found[5]["values"]

    on_node(tmp_path, test)


def test_equal_scores_are_ordered_by_id(tmp_path: Path) -> None:
    async def test(node: Node) -> None:
        names = [f"{n * 7919 % 300:03}" for n in range(300)]
        await node.write("/insert", *({"id": n, "values": [1, 1]} for n in names))
        await node.write("/insert", {"id": "zz", "values": [2, 1]})
        found = await node.query([2, 1], topK=6)
        assert [match["id"] for match in found] == [
            "zz", "000", "001", "002", "003", "004",
        ]  # fmt: skip

    on_node(tmp_path, test)


def test_a_query_by_id_finds_the_vector_itself_first(tmp_path: Path) -> None:
    async def test(node: Node) -> None:
        await node.write(
            "/insert",
            {"id": "a", "values": [3, 4]},
            {"id": "b", "values": [4, 3]},
            {"id": "c", "values": [-3, -4]},
        )
        body = {"vectorId": "a", "topK": 2}
        _, answer = await node.call("POST", "/query", body)
        assert [match["id"] for match in answer["matches"]] == ["a", "b"]
        status, answer = await node.call("POST", "/query", {"vectorId": "no"})
        assert (status, answer["code"]) == (400, 40404)

    on_node(tmp_path, test)


def test_a_namespace_is_applied_before_the_search(tmp_path: Path) -> None:
    async def test(node: Node) -> None:
        near = [
            {"id": f"near{n}", "values": [1, n / 1e6], "namespace": "other"}
            for n in range(150)
        ]
        far = {"id": "far", "values": [-1, 0], "namespace": "é"}
        await node.write("/insert", *near, far, {"id": "none", "values": [0, 1]})
        (match,) = await node.query([1, 0], namespace="é", topK=5)
        assert (match["id"], match["namespace"]) == ("far", "é")
        assert await node.query([1, 0], namespace="absent") == []
        assert len(await node.query([1, 0], topK=100)) == 100

    on_node(tmp_path, test)


def test_payload_comes_back_as_asked(tmp_path: Path) -> None:
    metadata = {"z": 1, "a": {"d": [1.5, None, "é"]}, "n": 2**70, "t": "x" * 90}

    async def test(node: Node) -> None:
        await node.write("/insert", {"id": "b", "values": [1, 0]})
        await node.fields(z="number", t="string")
        await node.write(
            "/insert",
            {"id": "a", "values": [1, 0], "metadata": metadata, "namespace": "n"},
        )
        bare = await node.query([1, 0])
        assert bare[0] == {"id": "a", "score": 1.0, "namespace": "n"}
        assert bare[1] == {"id": "b", "score": 1.0}
        full = await node.query([1, 0], returnMetadata="all", returnValues=True)
        assert full[0]["metadata"] == metadata
        assert list(full[0]["metadata"]) == list(metadata)
        assert full[1] == {"id": "b", "score": 1.0, "values": [1.0, 0.0]}
        indexed = await node.query([1, 0], returnMetadata="indexed")
        assert indexed[0]["metadata"] == {"z": 1.0, "t": "x" * 64}

    on_node(tmp_path, test)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"n": 2}, "c"),
        ({"n": {"$gte": 1, "$lt": 3}}, "bc"),
        ({"n": {"$gt": 1.5}}, "cd"),
        ({"n": {"$ne": 2}}, "abde"),
        ({"n": {"$lt": "2"}}, ""),
        ({"s": "x"}, "ab"),
        ({"s": {"$ne": "x"}}, "cde"),
        ({"s": {"$in": ["x", "y", 5]}}, "abc"),
        ({"s": {"$nin": ["x", "y"]}}, "de"),
        ({"s": {"$gte": "x", "$lt": "y"}}, "ab"),
        ({"s": {"$gt": "x"}}, "cd"),
        ({"s": {"$lte": "y"}}, "abc"),
        ({"s": {"$gt": "z" * 64}}, "d"),
        ({"s": "é" * 40}, "d"),
        ({"s": {"$lt": 3}}, ""),
        ({"b": True}, "a"),
        ({"b": False}, "b"),
        ({"b": {"$ne": True}}, "bcde"),
        ({"b": 1}, ""),
        ({"b": "true"}, ""),
        ({"big": 2**70}, "d"),
        ({"f": 0.1 + 0.2}, "a"),
        ({"o.p": "deep"}, "c"),
        ({"b": None}, "cde"),
        ({"b": {"$ne": None}}, "ab"),
        ({"s": "x", "n": {"$lte": 0}}, "a"),
        ({"absent": "x"}, ""),
        ({"absent": {"$ne": "x"}}, "abcde"),
        ({"absent": {"$in": [None]}}, "abcde"),
        ({"absent": {"$ne": None}}, ""),
        ({"plain": 1}, ""),
        ({}, "abcde"),
        (None, "abcde"),
    ],
)
def test_filters_are_honoured(tmp_path: Path, condition: object, expected: str) -> None:
    rows: dict[str, dict[str, object]] = {
        "a": {"n": 0, "s": "x", "b": True, "f": 0.1 + 0.2, "plain": 1},
        "b": {"n": 1, "s": "x", "b": False},
        "c": {"n": 2, "s": "y", "o": {"p": "deep"}},
        "d": {"n": 3.5, "s": "é" * 50, "b": "true", "big": 2**70},
        "e": {"n": "2", "s": 5, "b": 1, "o.p": 3},
    }

    async def test(node: Node) -> None:
        await node.write("/insert", {"id": "old", "values": [1, 1], "metadata": {}})
        await node.fields(s="string", n="number", b="boolean", o__p="string")
        await node.fields(f="number", big="number")
        await node.call("POST", "/deleteByIds", {"ids": ["old"]})
        await node.write(
            "/insert",
            *({"id": i, "values": [1, 1], "metadata": row} for i, row in rows.items()),
        )
        found = await node.query([1, 1], filter=condition)
        assert "".join(match["id"] for match in found) == expected

    on_node(tmp_path, test)


def test_only_vectors_written_after_a_metadata_index_are_filtered_by_it(
    tmp_path: Path,
) -> None:
    async def test(node: Node) -> None:
        async def found(**condition: object) -> str:
            matches = await node.query([1, 1], filter=condition)
            return "".join(match["id"] for match in matches)

        row = {"values": [1, 1], "metadata": {"k": "x", "n": 1, "t": "y" * 90}}
        await node.write("/insert", {"id": "a", **row})
        await node.fields(k="string")
        await node.write("/insert", {"id": "b", **row}, {"id": "a", **row})
        assert await found(k="x") == "b"
        assert await found(k={"$ne": "x"}) == "a"
        await node.write("/upsert", {"id": "a", **row})
        assert await found(k="x") == "ab"
        assert await found(n=1) == ""
        assert any("has no metadata index" in line for line in node.notices)
        await node.service.drop_metadata_index("docs", "k")
        assert await found(k="x") == ""
        await node.fields(k="string", t="string")
        assert await found(k="x") == ""
        await node.write("/upsert", {"id": "b", **row})
        assert await found(k="x") == "b"
        matches = await node.query([1, 1], returnMetadata="indexed")
        assert matches[0]["metadata"] == {}
        assert matches[1]["metadata"] == {"k": "x", "t": "y" * 64}

    on_node(tmp_path, test)


def test_metadata_indexes_have_their_limits(tmp_path: Path) -> None:
    async def test(node: Node) -> None:
        await node.write("/insert", {"id": "a", "values": [1, 1]})
        await node.fields(**{f"k{n}": "string" for n in range(10)})
        with pytest.raises(MetadataIndexRefused, match="at most 10"):
            await node.fields(k10="string")
        with pytest.raises(MetadataIndexRefused, match='index of "k1", of type string'):
            await node.fields(k1="number")
        with pytest.raises(MetadataIndexRefused, match='no metadata index of "no"'):
            await node.service.drop_metadata_index("docs", "no")
        assert len(await node.service.metadata_indexes("docs")) == 10

    on_node(tmp_path, test)


def test_a_wrong_width_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    async def test(node: Node) -> None:
        good, bad = {"id": "g", "values": [1, 2]}, {"id": "b", "values": [1, 2, 3]}
        refused = {
            "error": 'invalid vector for id="b", expected 2 dimensions,'
            " and got 3 dimensions",
            "code": 40012,
        }
        assert await node.write("/insert", good, bad) == (400, refused)
        assert (await node.call("GET", "/info"))[1]["dimensions"] == 0
        await node.write("/insert", good)
        assert await node.write("/upsert", good, bad) == (400, refused)
        assert (await node.call("GET", "/info"))[1]["vectorCount"] == 1
        status, answer = await node.call("POST", "/query", {"vector": [1]})
        assert (status, answer["code"]) == (400, 40006)
        for width in (0, 1537):
            wide = {"id": "w", "values": [1] * width}
            status, answer = await node.write("/insert", wide, index="wide")
            assert (status, answer["code"]) == (400, 40012)
            assert "expected 1 to 1536 dimensions" in answer["error"]
        assert (
            await node.write("/insert", {"id": "w", "values": [1] * 1536}, index="w")
        )[0] == 200

    on_node(tmp_path, test)


def test_unknown_routes_and_huge_uploads_are_refused(tmp_path: Path) -> None:
    async def test(node: Node) -> None:
        assert (await node.call("GET", "/binding/indexes/x"))[0] == 404
        assert (await node.call("POST", "/info", {}))[0] == 404
        status, answer = await node.call("POST", "/insert", b" " * 100_000_001)
        assert (status, answer["code"]) == (413, 10413)
        assert "100 MB" in answer["error"]
        assert (await node.call("GET", "/info"))[0] == 200

    on_node(tmp_path, test)


def test_a_cut_upload_writes_nothing_and_makes_no_noise(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    head = (
        b"POST /insert HTTP/1.1\r\nHost: vector-search\r\nselfedge-binding: docs\r\n"
        b'Content-Length: 1000\r\n\r\n{"id":"a","values":[1,2]}\n'
    )

    async def test(node: Node) -> None:
        _, writer = await asyncio.open_unix_connection(str(node.socket))
        writer.write(head)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert (await node.call("GET", "/info"))[1]["vectorCount"] == 0

    on_node(tmp_path, test)
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


def test_mutations_of_one_index_are_applied_in_order(tmp_path: Path) -> None:
    async def run() -> None:
        async with service(tmp_path) as vectorize:
            writes = [
                vectorize.mutate("i", "upsert", vectors=[Vector("a", [n + 1.0, 1.0])])
                for n in range(50)
            ]
            ids = await asyncio.gather(*writes)
            (vector,) = await vectorize.get("i", ["a"])
            info = await vectorize.describe("i")
            assert list(vector.values) == [50.0, 1.0]
            assert ids == [f"m{n}" for n in range(1, 51)]
            assert info.processed == "m50"

    asyncio.run(run())


def test_indexes_do_not_see_each_other(tmp_path: Path) -> None:
    async def test(node: Node) -> None:
        for name in ("a.b", "..", "a/b", "É"):
            await node.write("/insert", {"id": name, "values": [1, 2]}, index=name)
        for name in ("a.b", "..", "a/b", "É"):
            (match,) = await node.query([1, 2], index=name)
            assert match["id"] == name
        assert len(list((tmp_path / "state" / "vectorize").iterdir())) == 4

    on_node(tmp_path, test)


def test_a_large_write_does_not_hold_up_the_loop_or_other_reads(tmp_path: Path) -> None:
    body = [
        {"id": str(n), "values": values}
        for n, values in enumerate(gaussian(600, 768, 4))
    ]

    async def test(node: Node) -> None:
        await node.write("/insert", {"id": "x", "values": [1, 2]}, index="other")
        write = asyncio.create_task(node.write("/insert", *body))
        answered = 0
        while not write.done():
            await node.query([1, 2], index="other")
            answered += 1
        assert (await write)[0] == 200
        assert answered > 2

    on_node(tmp_path, test)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (Metric.EUCLIDEAN, [("b", 0.0), ("a", 1.0), ("c", 1.0), ("d", 5.0)]),
        (Metric.DOT_PRODUCT, [("d", -5.0), ("c", -2.0), ("b", -1.0), ("a", 0.0)]),
    ],
)
def test_other_metrics_score_as_documented(
    tmp_path: Path, metric: Metric, expected: list[tuple[str, float]]
) -> None:
    shard = QdrantEngine().create(tmp_path / "s", dimensions=2, metric=metric)
    shard.insert(
        [
            Vector("c", [2.0, 0.0]),
            Vector("a", [0.0, 0.0]),
            Vector("b", [1.0, 0.0]),
            Vector("d", [5.0, 3.0]),
        ]
    )
    (found,) = shard.search([Search(values=[1.0, 0.0], limit=4)])
    assert [(hit.vector.id, hit.score) for hit in found] == expected
    shard.close()


METADATA = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5)
        | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    ),
    max_size=3,
)  # fmt: skip


@pytest.mark.slow
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.text(min_size=1, max_size=16), METADATA), min_size=1))
def test_any_id_and_metadata_come_back_after_a_restart(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, dict[str, Any]]]
) -> None:
    home = tmp_path_factory.mktemp("any")
    expected = {
        name: json.dumps(metadata, ensure_ascii=False).encode()
        for name, metadata in rows
    }

    async def write() -> None:
        async with service(home) as vectorize:
            vectors = [Vector(i, [1.0, 2.0], None, m) for i, m in expected.items()]
            await vectorize.mutate("i", "upsert", vectors=vectors)

    async def read() -> dict[str, bytes | None]:
        async with service(home) as vectorize:
            found = await vectorize.get("i", list(expected))
            return {vector.id: vector.metadata for vector in found}

    asyncio.run(write())
    assert asyncio.run(read()) == expected


def test_metadata_of_any_depth_leaves_the_index_readable(tmp_path: Path) -> None:
    deep = b'{"a":' * 600 + b"1" + b"}" * 600

    async def run() -> None:
        async with node(tmp_path) as first:
            line = b'{"id":"a","values":[1,2],"metadata":' + deep + b"}"
            status, _ = await first.call("POST", "/insert", line, content_type="x")
            assert status == 200
            assert await first.query([1, 2], returnMetadata="indexed")
        async with node(tmp_path) as second:
            (match,) = await second.query([1, 2], returnMetadata="all")
            assert json.dumps(match["metadata"]).encode().replace(b" ", b"") == deep

    asyncio.run(run())
