"""What metadata indexes make of metadata."""

import json

from selfedge.bindings.vectorize.engine.contract import Hit, Vector
from selfedge.bindings.vectorize.index.fields import indexed_only, with_fields
from selfedge.bindings.vectorize.index.model import MetadataIndex

INDEXES = [
    MetadataIndex(property_name="t", index_type="string", field="f1"),
    MetadataIndex(property_name="o.n", index_type="number", field="f2"),
    MetadataIndex(property_name="b", index_type="boolean", field="f3"),
]


def fields(metadata: object) -> dict[str, object]:
    vector = Vector("a", [1.0], None, json.dumps(metadata).encode())
    return dict(with_fields([vector], INDEXES)[0].fields)


def test_strings_are_cut_at_64_bytes_between_characters() -> None:
    assert fields({"t": "aé" + "x" * 99}) == {"f1": "aé" + "x" * 61}
    assert fields({"t": "é" * 40}) == {"f1": "é" * 32}
    assert fields({"t": "a" + "é" * 40}) == {"f1": "a" + "é" * 31}
    assert fields({"t": ""}) == {"f1": ""}


def test_only_values_of_the_indexes_type_are_taken() -> None:
    assert fields({"t": 1, "o": {"n": "1"}, "b": 1}) == {}
    assert fields({"t": None, "o": {"n": True}, "b": "true"}) == {}
    assert fields({"o": {"n": 2**70}, "b": False}) == {"f2": 2.0**70, "f3": False}
    assert fields({"o": {"n": 10**400}}) == {}
    assert fields({"o.n": 3}) == {"f2": 3.0}
    assert fields({"o": 5}) == {}


def test_indexed_metadata_is_what_the_fields_hold() -> None:
    kept = {"f1": "x", "f2": 2.5, "f3": "true", "f9": "of a deleted index"}
    hit = Hit(Vector("a", (), None, b'{"z":1}', kept), 1.0)
    text = indexed_only(hit, INDEXES).vector.metadata
    assert json.loads(text or b"") == {"t": "x", "o": {"n": 2.5}, "b": True}
    bare = Hit(Vector("a", ()), 1.0)
    assert indexed_only(bare, INDEXES).vector.metadata is None
