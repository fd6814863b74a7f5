"""What the control API reads and refuses."""

import io
import json
from typing import Any

import pytest

from selfedge.bindings.vectorize.bulk import lines
from selfedge.bindings.vectorize.engine.contract import Metric
from selfedge.bindings.vectorize.errors import VectorizeError
from selfedge.bindings.vectorize.index.model import Config, Listing
from selfedge.bindings.vectorize.rest import messages
from selfedge.errors import UsageError

CURSOR = "00000000-0000-0000-0000-00000000000a"


def body(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def test_an_index_is_named_sized_and_measured() -> None:
    config = {"dimensions": 3, "metric": "dot-product"}
    assert messages.new_index(body(name="é", config=config)) == (
        "é",
        Config(dimensions=3, metric=Metric.DOT_PRODUCT),
    )


@pytest.mark.parametrize(
    ("preset", "dimensions"),
    [
        ("@cf/baai/bge-small-en-v1.5", 384),
        ("@cf/baai/bge-base-en-v1.5", 768),
        ("@cf/baai/bge-large-en-v1.5", 1024),
        ("openai/text-embedding-ada-002", 1536),
        ("cohere/embed-multilingual-v2.0", 768),
    ],
)
def test_presets_are_those_of_their_models(preset: str, dimensions: int) -> None:
    _, config = messages.new_index(body(name="i", config={"preset": preset}))
    assert (config.dimensions, config.metric) == (dimensions, Metric.COSINE)


@pytest.mark.parametrize(
    ("fields", "number", "said"),
    [
        ({"name": "", "config": {}}, 3003, "1 to 64 bytes, got 0"),
        ({"name": "é" * 33, "config": {}}, 3003, "got 66"),
        ({"name": "i", "config": {}}, 3003, "dimensions and metric, or preset"),
        ({"name": "i", "config": {"preset": "x"}}, 3003, "must be one of @cf/baai"),
        (
            {"name": "i", "config": {"dimensions": 1537, "metric": "cosine"}},
            3003,
            "1 to 1536, got 1537",
        ),
        (
            {"name": "i", "config": {"dimensions": 3, "metric": "manhattan"}},
            3003,
            "cosine, euclidean, dot-product",
        ),
        ({"config": {}}, 40026, "name"),
        ({"name": "i", "config": {"dimensions": "3"}}, 40026, "dimensions"),
    ],
)
def test_an_index_that_cannot_be_is_refused(
    fields: dict[str, Any], number: int, said: str
) -> None:
    with pytest.raises(VectorizeError) as refused:
        messages.new_index(body(**fields))
    assert refused.value.number == number
    assert said in str(refused.value)


@pytest.mark.parametrize("path", ["", "$a", 'a"b', "a..b", "k" * 513])
def test_a_property_that_no_filter_could_name_is_refused(path: str) -> None:
    with pytest.raises(VectorizeError, match="propertyName"):
        messages.new_field(body(propertyName=path, indexType="string"))


def test_a_metadata_index_has_a_type() -> None:
    assert messages.new_field(body(propertyName="a.b", indexType="Number")) == (
        "a.b",
        "number",
    )
    with pytest.raises(VectorizeError, match="string, number, boolean, got 'date'"):
        messages.new_field(body(propertyName="a", indexType="date"))


def test_pages_are_bounded_and_cursors_are_ours() -> None:
    assert messages.page({}) == (None, 100)
    for query in ({"count": "0"}, {"count": "1001"}, {"count": "x"}, {"cursor": "x"}):
        with pytest.raises(VectorizeError):
            messages.page(query)
    listing = Listing(ids=["a"], total=2, following=CURSOR)
    told = messages.listed(listing, 0)
    assert (told["isTruncated"], told["nextCursor"]) == (True, CURSOR)
    assert told["cursorExpirationTimestamp"] == "1970-01-01T00:00:00Z"
    assert messages.page({"cursor": CURSOR}) == (CURSOR, 100)


def test_a_list_of_indexes_ends() -> None:
    items = list(range(5))
    assert messages.sliced(items, {}) == items
    assert messages.sliced(items, {"page": "1"}) == items
    assert messages.sliced(items, {"page": "2"}) == []
    assert messages.sliced(items, {"page": "2", "per_page": "3"}) == [3, 4]
    assert messages.sliced(items, {"cursor": "x"}) == []
    assert messages.sliced([], {"page": "1"}) == []


def test_lines_that_a_client_calls_json_are_lines() -> None:
    assert messages.is_object(b' { "vectors" : []}')
    assert not messages.is_object(b'{"id":"a","values":[1]}')


def test_files_are_cut_into_batches_without_blank_lines() -> None:
    found = list(lines.batches(io.BytesIO(b"a\n\nb\r\nc"), 2))
    assert [batch.lines for batch in found] == [[b"a", b"b"], [b"c"]]
    assert sum(batch.size for batch in found) == 7


def test_numbers_of_an_option_are_read() -> None:
    assert lines.numbers("[1, 2.5,-3]") == [1.0, 2.5, -3.0]
    with pytest.raises(UsageError, match="takes numbers"):
        lines.numbers("1 x")
    with pytest.raises(UsageError, match="--filter is not JSON"):
        lines.decoded("{", "--filter")
