"""Bodies of Workers become queries, or errors that say what is wrong."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedge.bindings.d1 import wire
from selfedge.bindings.d1.compile import from_resource, resource
from selfedge.bindings.d1.config import parse
from selfedge.bindings.d1.database.model import Query, Result
from selfedge.bindings.d1.errors import D1Error
from selfedge.bindings.d1.rest import messages

RESULT = Result(
    columns=["a", "a", "b"],
    rows=[(1, 2, b"\x00\xff"), (None, "x", 1.5)],
    duration_ms=0.5,
    changes=0,
    last_row_id=7,
    changed_db=False,
    size_after=4096,
    rows_read=2,
    rows_written=0,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["sql", "params", "x"]), inner, max_size=3)
    ),
    max_leaves=10,
)


def test_parameters_are_what_javascript_has():
    body = b'{"sql":"S","params":[null,true,5,1.5,"x",[0,255],[]]}'
    (query,), as_list = wire.parse_queries(body)
    assert query == Query("S", [None, 1.0, 5.0, 1.5, "x", b"\x00\xff", b""])
    assert [type(one) for one in query.parameters[1:4]] == [float, float, float]
    assert as_list is False


def test_a_list_is_a_batch():
    queries, as_list = wire.parse_queries(b'[{"sql":"A"},{"sql":"B","params":null}]')
    assert queries == [Query("A"), Query("B")]
    assert as_list is True


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[1]", b"{}", b'{"sql":1}', b'{"sql":"S","params":{"a":1}}',
        b'{"sql":"S","params":[[256]]}', b'{"sql":"S","params":[[-1]]}',
        b'{"sql":"S","params":[["a"]]}', b'{"sql":"S","params":[{}]}', b"\xff",
        b'{"sql":"S","params":[1' + b"0" * 400 + b"]}", b"[" * 100_000,
    ],
)  # fmt: skip
def test_another_shape_is_refused(body):
    with pytest.raises(D1Error):
        wire.parse_queries(body)


@given(JSON)
def test_any_json_is_read_or_refused(value):
    try:
        wire.parse_queries(msgspec.json.encode(value))
        messages.queries(value)
    except D1Error:
        pass


def test_rows_are_objects_or_columns_and_rows():
    objects = wire.shown(RESULT, "")
    assert objects == [{"a": 2, "b": [0, 255]}, {"a": "x", "b": 1.5}]
    assert wire.shown(RESULT, wire.ROWS_AND_COLUMNS) == {
        "columns": ["a", "a", "b"],
        "rows": [[1, 2, [0, 255]], (None, "x", 1.5)],
    }


def test_an_answer_is_one_or_a_list():
    one = msgspec.json.decode(wire.encoded([RESULT], wire.NONE, as_list=False))
    many = msgspec.json.decode(wire.encoded([RESULT], wire.NONE, as_list=True))
    assert many == [one]
    assert one["success"] is True
    assert one["meta"]["last_row_id"] == 7


def test_several_statements_over_rest_are_several_queries():
    found = messages.queries({"sql": "SELECT 1; SELECT 2", "params": []})
    assert [one.sql.strip() for one in found] == ["SELECT 1", "SELECT 2"]
    batch = {"batch": [{"sql": "A", "params": ["1"]}, {"sql": "B"}]}
    assert messages.queries(batch) == [Query("A", ["1"]), Query("B")]


@pytest.mark.parametrize(
    "body",
    [{"sql": "A; B", "params": [1]}, {"sql": " -- "}, {"batch": 1}, {"batch": []}, 3],
)
def test_rest_refuses_what_it_cannot_run(body):
    with pytest.raises(D1Error):
        messages.queries(body)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2027-01-15T08:00:00Z", 1_800_000_000),
        ("2027-01-15T09:00:00+01:00", 1_800_000_000),
        ("2027-01-15T08:00:00", 1_800_000_000),
        ("1800000000", 1_800_000_000),
        ("1800000000123", 1_800_000_000),
    ],
)
def test_a_time_is_iso_or_seconds(text, expected):
    assert messages.time_us(text) == expected * 1_000_000


@pytest.mark.parametrize("text", ["", "yesterday", "²", "2027-13-01", "-1"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(D1Error, match="is not like"):
        messages.time_us(text)


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_resource_tells_id_and_name(identifier, name):
    assert from_resource(resource(identifier, name)) == (identifier, name)


def test_the_preview_database_wins_and_a_name_is_made():
    (one, two) = parse(
        [
            {"binding": "A", "database_id": "x", "preview_database_id": "y"},
            {"binding": "MY_DB"},
        ]
    )
    assert (one.id, two.id) == ("y", None)
    assert two.name("app") == "app-my-db"
