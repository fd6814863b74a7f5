"""`kv_namespaces` in a wrangler file, and what it becomes."""

from typing import Any

import msgspec
import pytest

from selfedge.binding import Site
from selfedge.bindings.kv import BINDING

SITE = Site(account="a", worker="w", workers=frozenset(["w"]), objects="objects")


@pytest.mark.parametrize(
    ("entry", "namespace"),
    [
        ({"binding": "KV", "id": "abc"}, "abc"),
        ({"binding": "KV"}, "KV"),
        ({"binding": "KV", "id": "abc", "preview_id": "def"}, "def"),
        ({"binding": "KV", "id": "abc", "remote": True}, "abc"),
        ({"binding": "KV", "id": "abc", "experimental_remote": True}, "abc"),
    ],
)
def test_an_entry_opens_a_namespace(entry: dict[str, Any], namespace: str) -> None:
    (parsed,) = BINDING.parse([entry])
    fragment = BINDING.compile(parsed, SITE)
    (backend,) = fragment.backends
    assert (backend.kind, backend.resource) == ("kv", namespace)
    assert fragment.bindings == [
        {"name": "KV", "kvNamespace": {"name": f"kv:{namespace}"}}
    ]
    assert [(row.name, row.kind) for row in fragment.rows] == [
        ("env.KV", "KV namespace")
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, r"Expected `array`, got `object`"),
        ([{}], r"missing required field `binding` - at `\$\[0\]`"),
        ([{"binding": ""}], r"length >= 1"),
        ([{"binding": "KV", "id": 5}], r"Expected `str \| null`.*`\$\[0\]\.id`"),
    ],
)
def test_a_wrong_table_is_refused_with_its_place(table: object, message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        BINDING.parse(table)


def test_namespaces_of_one_id_share_a_service() -> None:
    entries = BINDING.parse(
        [{"binding": "A", "id": "x y/z"}, {"binding": "B", "id": "x y/z"}]
    )
    services = {BINDING.compile(e, SITE).backends[0].service for e in entries}
    assert services == {"kv:x%20y%2Fz"}
