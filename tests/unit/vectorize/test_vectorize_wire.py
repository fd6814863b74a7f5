"""What the protocol reads, and each refusal with Cloudflare's number."""

import json
from array import array
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedge.binding import Site
from selfedge.bindings.vectorize import BINDING, wire
from selfedge.bindings.vectorize.engine.contract import Vector
from selfedge.bindings.vectorize.errors import VectorizeError
from selfedge.bindings.vectorize.filters.parse import conditions
from selfedge.bindings.vectorize.index.model import Query, Returned, Wanted


def parse(body: bytes, content_type: str = "application/x-ndjson") -> list[Vector]:
    as_json = content_type.startswith("application/json")
    return wire.parse_vectors(body, as_json=as_json, operation="insert")


def line(**fields: Any) -> bytes:
    return json.dumps({"id": "a", "values": [1, 2], **fields}).encode()


def refusal(call: Any, *arguments: Any) -> tuple[int, str]:
    with pytest.raises(VectorizeError) as caught:
        call(*arguments)
    return caught.value.number, str(caught.value)


def test_config_names_binding_and_index() -> None:
    (entry,) = BINDING.parse([{"binding": "V", "index_name": "docs", "remote": True}])
    assert (entry.binding, entry.index_name) == ("V", "docs")


@pytest.mark.parametrize(
    "table",
    [
        [{"binding": "V"}],
        [{"binding": "", "index_name": "docs"}],
        [{"binding": "V", "index_name": ""}],
        [{"binding": "V", "index_name": "é" * 33}],
        {"binding": "V", "index_name": "docs"},
    ],
)
def test_a_wrong_table_is_refused(table: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        BINDING.parse(table)


def test_compiled_binding_speaks_v2_to_its_own_service() -> None:
    (entry,) = BINDING.parse([{"binding": "V", "index_name": "my docs"}])
    site = Site(account="a", worker="w", workers=frozenset({"w"}), objects="")
    fragment = BINDING.compile(entry, site)
    (backend,) = fragment.backends
    assert (backend.kind, backend.resource) == ("vectorize", "my docs")
    assert fragment.bindings == (
        {
            "name": "V",
            "wrapped": {
                "moduleName": "cloudflare-internal:vectorize-api",
                "innerBindings": [
                    {"name": "fetcher", "service": {"name": "vectorize:my%20docs"}},
                    {"name": "indexId", "text": "my docs"},
                    {"name": "indexVersion", "text": "v2"},
                    {"name": "useNdJson", "json": "true"},
                ],
            },
        },
    )


def test_lines_and_json_read_the_same() -> None:
    one, two = line(namespace="n", metadata={"k": "é"}), line(id="b")
    expected = [
        Vector("a", array("f", [1, 2]), "n", json.dumps({"k": "é"}).encode()),
        Vector("b", array("f", [1, 2])),
    ]
    assert parse(one + b"\n" + two) == expected
    assert parse(one + b"\r\n\n" + two + b"\n") == expected
    wrapped = b'{"vectors":[' + one + b"," + two + b"]}"
    assert parse(wrapped, "application/json; charset=utf-8") == expected


def test_lines_that_cannot_be_read_are_left_out_when_asked_for() -> None:
    body = b"{\n" + line() + b"\n" + line(values="x")
    (vector,) = wire.parse_vectors(
        body, as_json=False, operation="insert", discard=True
    )
    assert vector.id == "a"
    with pytest.raises(VectorizeError, match="no vectors"):
        wire.parse_vectors(b"{", as_json=False, operation="insert", discard=True)


def test_of_equal_ids_insert_keeps_the_first_and_upsert_the_last() -> None:
    body = line(values=[1]) + b"\n" + line(values=[2])
    assert [list(vector.values) for vector in parse(body)] == [[1]]
    last = wire.parse_vectors(body, as_json=False, operation="upsert")
    assert [list(vector.values) for vector in last] == [[2]]


@pytest.mark.parametrize(
    ("bad", "number", "said"),
    [
        (line(id="é" * 33), 40008, "id too long; max is 64 bytes, got 66 bytes"),
        (line(id=""), 40008, "id is empty"),
        (line(id=7), 40023, "line 2 was not expected format: Expected `str`"),
        (line(namespace="n" * 65), 40009, "max is 64 bytes, got 65"),
        (line(values=[1, None]), 40023, "NaN and Infinity are null in JSON"),
        (line(values=[1e39]), 40023, "beyond the 32-bit floats"),
        (line(values={"0": 1}), 40023, "Expected `array`, got `object`"),
        (b'{"id":"a","values":[NaN]}', 40023, "line 2"),
        (b'{"id":"a","values":[1e400]}', 40023, "Number out of range"),
        (b'{"id":"a","values":[1', 40023, "line 2"),
        (b'{"id":"\xff","values":[1]}', 40023, "not valid UTF-8"),
        (b'{"id":"\\ud835","values":[1]}', 40023, "surrogate"),
        (line(metadata=[1]), 40023, "expected an object"),
        (b'{"id":"a","values":[1],"metadata":' + b"[" * 5000, 40023, "line 2"),
        (line(metadata={"t": "x" * 10_233}), 40016, "exceed 10240 bytes, got 10241"),
    ],
)
def test_a_bad_line_is_refused_by_its_number(
    bad: bytes, number: int, said: str
) -> None:
    code, message = refusal(parse, line(id="good") + b"\n" + bad)
    assert code == number
    assert said in message


def test_metadata_is_measured_as_compact_json() -> None:
    text = json.dumps({"t": "x" * 10_232}, indent=40).encode().replace(b"\n", b" ")
    (vector,) = parse(b'{"id":"a","values":[1],"metadata":' + text + b"}")
    assert len(vector.metadata or b"") == 10_240


def test_an_empty_insert_is_refused() -> None:
    for body, kind in [(b"", "x-ndjson"), (b'{"vectors":[]}', "json")]:
        code, message = refusal(parse, body, f"application/{kind}")
        assert (code, "no vectors" in message) == (40023, True)


def test_a_thousand_vectors_pass_and_one_more_does_not() -> None:
    lines = [line(id=str(number)) for number in range(1001)]
    assert len(parse(b"\n".join(lines[:1000]))) == 1000
    code, message = refusal(parse, b"\n".join(lines))
    assert (code, "is 1000, got 1001" in message) == (40007, True)


def test_ids_are_read_once_each() -> None:
    assert wire.parse_ids(b'{"ids":["b","a","b"]}') == ["b", "a"]
    assert refusal(wire.parse_ids, b'{"ids":[1]}')[0] == 40026
    assert refusal(wire.parse_ids, b"[]")[0] == 40026
    assert refusal(wire.parse_ids, json.dumps({"ids": ["x" * 65]}).encode())[0] == 40008
    many = json.dumps({"ids": [str(number) for number in range(1001)]}).encode()
    assert refusal(wire.parse_ids, many)[0] == 40007


def query(**fields: Any) -> Query:
    return wire.parse_query(json.dumps({"vector": [1, 2], **fields}).encode())


def test_a_query_has_the_documented_defaults() -> None:
    assert query() == Query(values=[1, 2], top_k=5, conditions=())
    assert wire.parse_query(b'{"vectorId":"a"}') == Query(vector_id="a", conditions=())


@pytest.mark.parametrize(
    ("asked", "returned"),
    [
        (False, Returned.NONE),
        (True, Returned.ALL),
        (None, Returned.NONE),
        ("none", Returned.NONE),
        ("indexed", Returned.INDEXED),
        ("all", Returned.ALL),
    ],
)
def test_return_metadata_takes_names_and_booleans(
    asked: object, returned: Returned
) -> None:
    assert query(returnMetadata=asked).return_metadata is returned


@pytest.mark.parametrize(
    ("fields", "number", "said"),
    [
        ({"topK": 101}, 40025, "max top K is 100, but got 101"),
        ({"topK": 0}, 40025, "min top K is 1"),
        ({"topK": 21, "returnValues": True}, 40025, "max top K is 20, but got 21"),
        ({"topK": 21, "returnMetadata": True}, 40025, "returnMetadata=indexed"),
        ({"topK": 2.5}, 40026, "topK"),
        ({"returnMetadata": "some"}, 40026, "'some'"),
        ({"vectorId": "a"}, 40026, "either vector or vectorId"),
        ({"vector": None}, 40026, "either vector or vectorId"),
        ({"vector": [1, None]}, 40026, "NaN and Infinity"),
        ({"vector": [1e39]}, 40026, "32-bit"),
        ({"namespace": "n" * 65}, 40009, "64 bytes"),
        ({"filter": "a"}, 40026, "filter: expected an object"),
    ],
)
def test_a_query_over_a_limit_is_refused(
    fields: dict[str, Any], number: int, said: str
) -> None:
    code, message = refusal(lambda: query(**fields))
    assert code == number
    assert said in message


def test_top_k_may_be_100_without_payload() -> None:
    assert query(topK=100, returnMetadata="indexed").top_k == 100
    assert query(topK=20, returnMetadata="all", returnValues=True).top_k == 20


def filtered(value: object) -> object:
    return conditions(json.dumps(value).encode())


def test_filters_become_conditions() -> None:
    assert filtered({"a.b": "x", "n": {"$gte": 1, "$lt": 5}, "z": None}) == [
        Wanted("a.b", "eq", ("x",)),
        Wanted("n", "gte", (1,)),
        Wanted("n", "lt", (5,)),
        Wanted("z", "eq", (None,)),
    ]
    assert filtered({"a": {"$in": [1, "b"]}}) == [Wanted("a", "in", (1, "b"))]
    assert filtered({}) == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"$or": []}, "starts with $"),
        ({'a"b': 1}, "double quote"),
        ({"": 1}, "is empty"),
        ({"a..b": 1}, "empty part"),
        ({"k" * 513: 1}, "at most 512 characters, got 513"),
        ({"a": "x" * 2048}, "shorter than 2048 bytes"),
        ({"a": {"$like": 1}}, "expected one of $eq"),
        ({"a": {}}, "no operator"),
        ({"a": {"$in": 1}}, "takes an array"),
        ({"a": {"$in": []}}, "takes an array"),
        ({"a": {"$lt": True}}, "takes a number or a string"),
        ({"a": [1]}, "expected a string, number, boolean or null"),
    ],
)
def test_a_filter_that_cannot_be_honoured_is_refused(value: object, said: str) -> None:
    code, message = refusal(filtered, value)
    assert (code, said in message) == (40026, True), message


def outcome(call: Any, *arguments: Any) -> int:
    """Return the number of the refusal, or 0."""
    try:
        call(*arguments)
    except VectorizeError as error:
        answer = json.loads(wire.refused(error))
        return int(answer["code"])
    return 0


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    assert outcome(parse, body) in {0, 40008, 40009, 40023}
    assert outcome(parse, body, "application/json") in {0, 40008, 40009, 40023}
    assert outcome(wire.parse_ids, body) in {0, 40008, 40026}
    assert outcome(wire.parse_query, body) in {0, 40008, 40009, 40025, 40026}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "id",
                "values",
                "metadata",
                "namespace",
                "vector",
                "vectorId",
                "topK",
                "filter",
                "ids",
                "returnMetadata",
                "returnValues",
            ]
        ),
        JSON,
    )
)
def test_any_json_is_read_or_refused(fields: dict[str, Any]) -> None:
    body = json.dumps(fields).encode()
    assert outcome(parse, body) in {0, 40008, 40009, 40023}
    assert outcome(wire.parse_ids, body) in {0, 40008, 40026}
    assert outcome(wire.parse_query, body) in {0, 40008, 40009, 40025, 40026}
