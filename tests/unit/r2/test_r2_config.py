"""The table `r2_buckets`, and what the engine is told of it."""

import msgspec
import pytest

from selfedge.binding import Site
from selfedge.bindings.r2 import BINDING
from selfedge.bindings.r2.config import uploaded

SITE = Site(account="a", worker="w", workers=frozenset(["w"]), objects="o")


@pytest.mark.parametrize(
    ("entry", "bucket"),
    [
        ({"bucket_name": "photos"}, "photos"),
        ({"bucket_name": "photos", "preview_bucket_name": "test"}, "test"),
        ({}, "R2"),
        ({"bucket_name": "photos", "jurisdiction": "eu"}, "eu/photos"),
        ({"bucket_name": "photos", "jurisdiction": "default"}, "photos"),
        ({"bucket_name": "photos", "remote": True}, "photos"),
    ],
)
def test_which_bucket_is_opened(entry: dict, bucket: str) -> None:
    (parsed,) = BINDING.parse([{"binding": "R2", **entry}])
    fragment = BINDING.compile(parsed, SITE)
    (backend,) = fragment.backends
    assert backend.resource == bucket
    assert fragment.bindings == [
        {"name": "R2", "r2Bucket": {"name": backend.service}},
    ]


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"binding": ""},
        {"binding": "R2", "bucket_name": ""},
        {"binding": "R2", "bucket_name": 5},
        {"binding": "R2", "bucket_name": "photos", "jurisdiction": "E/U"},
    ],
)
def test_what_is_no_entry(entry: dict) -> None:
    with pytest.raises(msgspec.ValidationError):
        BINDING.parse([entry])


def test_what_is_uploaded_is_the_same_table() -> None:
    entries = [{"type": "r2_bucket", "name": "R2", "bucket_name": "photos"}]
    (parsed,) = BINDING.parse(uploaded(entries))
    assert (parsed.binding, parsed.bucket) == ("R2", "photos")
