"""What a wrangler file says of bindings survives the way through an upload."""

import pytest

from selfedge.standard import BINDINGS

TABLES = {
    "kv_namespaces": [{"binding": "KV", "id": "abc"}],
    "r2_buckets": [
        {"binding": "B", "bucket_name": "files"},
        {"binding": "E", "bucket_name": "files", "jurisdiction": "eu"},
    ],
    "d1_databases": [{"binding": "DB", "database_id": "123"}],
    "queues": {
        "producers": [
            {"binding": "Q", "queue": "jobs"},
            {"binding": "R", "queue": "late", "delivery_delay": 5},
        ]
    },
    "durable_objects": {
        "bindings": [
            {"name": "A", "class_name": "Own"},
            {"name": "B", "class_name": "Other", "script_name": "other"},
        ]
    },
    "ai": {"binding": "AI"},
    "vectorize": [{"binding": "V", "index_name": "index"}],
    "services": [
        {"binding": "S", "service": "other"},
        {"binding": "T", "service": "o", "entrypoint": "E", "props": {"a": [1]}},
    ],
    "version_metadata": {"binding": "VERSION"},
    "vars": {"TEXT": "é", "NUMBER": 1.5, "LIST": [1, None], "TABLE": {"a": True}},
}
_BY_TABLE = {
    binding.table: binding
    for binding in BINDINGS
    if binding.upload is not None and binding.upload.entries is not None
}


@pytest.mark.parametrize("table", sorted(TABLES))
def test_a_table_comes_back_from_its_entries(table):
    binding = _BY_TABLE[table]
    entries = binding.upload.entries(TABLES[table])
    assert {one["type"] for one in entries} <= binding.upload.types
    assert all(one["name"] for one in entries)
    again = binding.upload.table(entries)
    assert binding.parse(again) == binding.parse(TABLES[table])


def test_what_can_be_uploaded_can_be_deployed_from_a_wrangler_file():
    uploads = {one.table for one in BINDINGS if one.upload is not None}
    assert uploads == set(_BY_TABLE)


def test_what_names_no_resource_leaves_it_to_the_upload():
    for table in ("kv_namespaces", "d1_databases", "r2_buckets"):
        (entry,) = _BY_TABLE[table].upload.entries([{"binding": "X"}])
        assert set(entry) == {"type", "name"}


def test_a_service_of_an_environment_is_a_worker_of_its_own():
    table = [{"binding": "S", "service": "other", "environment": "staging"}]
    (entry,) = _BY_TABLE["services"].upload.entries(table)
    assert entry["service"] == "other-staging"
