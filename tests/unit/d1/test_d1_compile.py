"""An entry of the table becomes the engine's own D1 client over our service."""

import msgspec
import pytest

from selfedge.binding import Site
from selfedge.bindings.d1 import BINDING

SITE = Site(account="a", worker="app", workers=frozenset(["app"]), objects="objects")


def compiled(**entry):
    (one,) = BINDING.parse([{"binding": "DB", **entry}])
    return BINDING.compile(one, SITE)


def test_an_entry_is_a_wrapped_binding_and_a_backend():
    fragment = compiled(database_name="people", database_id="the/id")
    (backend,) = fragment.backends
    assert (backend.kind, backend.resource) == ("d1", "the%2Fid/people")
    (binding,) = fragment.bindings
    assert binding == {
        "name": "DB",
        "wrapped": {
            "moduleName": "cloudflare-internal:d1-api",
            "innerBindings": [
                {"name": "fetcher", "service": {"name": "d1:the%252Fid%2Fpeople"}}
            ],
        },
    }
    assert [(row.name, row.detail) for row in fragment.rows] == [("env.DB", "people")]


@pytest.mark.parametrize(
    ("entry", "resource"),
    [
        ({}, "/app-db"),
        ({"database_id": ""}, "/app-db"),
        ({"database_name": "n"}, "/n"),
        ({"database_id": "i", "preview_database_id": "p"}, "p/app-db"),
        ({"database_id": "i", "remote": True, "something_new": 1}, "i/app-db"),
    ],
)
def test_the_id_the_preview_or_the_name_say_which(entry, resource):
    (backend,) = compiled(**entry).backends
    assert backend.resource == resource


@pytest.mark.parametrize(
    "table",
    [
        {},
        [{}],
        [{"binding": ""}],
        [{"binding": 1}],
        [{"binding": "A", "database_id": 5}],
    ],
)
def test_a_table_of_another_shape_is_refused(table):
    with pytest.raises(msgspec.ValidationError):
        BINDING.parse(table)


def test_an_upload_says_the_same_as_a_table():
    upload = BINDING.upload
    assert upload is not None
    entry = {"type": "d1", "name": "DB", "id": "x"}
    table = upload.table([entry])
    assert table == [{"binding": "DB", "database_id": "x"}]
    assert upload.entries is not None
    assert list(upload.entries(table)) == [entry]
