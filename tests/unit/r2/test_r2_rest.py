"""Objects and buckets as the control API and HTTP show them."""

import pytest

from selfedge.bindings.r2 import errors
from selfedge.bindings.r2.buckets import Bucket
from selfedge.bindings.r2.model import Etag, Found, HttpMetadata, Object
from selfedge.bindings.r2.rest import headers, messages

OBJECT = Object(key="k", version="v", size=10, etag="e", uploaded=1_800_000_000_123)
FAR_MS = 8_640_000_000_000_000  # the last moment of JavaScript's Date


def test_the_headers_of_an_upload() -> None:
    options = headers.options(
        {
            "Content-Type": "a/b",
            "Content-Encoding": "gzip",
            "Expires": "Fri, 15 Jan 2027 08:00:00 GMT",
            "cf-r2-storage-class": "InfrequentAccess",
        }
    )
    assert options.http == HttpMetadata(
        content_type="a/b", content_encoding="gzip", cache_expiry=1_800_000_000_000
    )
    assert options.storage_class == "InfrequentAccess"
    assert options.conditions is None


@pytest.mark.parametrize("text", ["soon", "", "99 Jan 2027", "Fri, 99 Foo 2027"])
def test_expires_that_is_no_date(text: str) -> None:
    with pytest.raises(errors.InvalidArgument, match="Expires"):
        headers.options({"Expires": text})


def test_conditions_of_http() -> None:
    found = headers.conditions({"If-Match": '"a", W/"b", *'})
    assert found is not None
    assert found.etag_matches == [
        Etag("strong", "a"),
        Etag("weak", "b"),
        Etag("wildcard"),
    ]
    since = headers.conditions({"If-Modified-Since": "Fri, 15 Jan 2027 08:00:00 GMT"})
    assert since is not None
    assert since.uploaded_after == 1_800_000_000_000
    assert headers.conditions({"If-Modified-Since": "nonsense"}) is None


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"If-None-Match": "x"}, 304),
        ({"If-Modified-Since": "x"}, 304),
        ({"If-Match": "x"}, 412),
        ({"If-Match": "x", "If-None-Match": "y"}, 412),
    ],
)
def test_the_status_of_what_does_not_hold(asked: dict[str, str], status: int) -> None:
    assert headers.unmet(asked) == status


def test_a_header_is_one_line_whatever_a_worker_put_there() -> None:
    """A Worker may store any text; it must not end a header."""
    odd = Object(
        key="k",
        version="v",
        size=0,
        etag="e",
        uploaded=0,
        http=HttpMetadata(content_type="a\r\nSet-Cookie: x", cache_expiry=FAR_MS),
    )
    shown = headers.shown(odd)
    assert shown["Content-Type"] == "a  Set-Cookie: x"
    assert shown["Expires"].endswith(" 9999 23:59:59 GMT")
    assert messages.listed(odd)["http_metadata"] == {
        "contentType": "a\r\nSet-Cookie: x",
        "cacheExpiry": "9999-12-31T23:59:59.999Z",
    }


def test_the_bytes_that_follow() -> None:
    found = Found(object=OBJECT, start=2, length=3)
    assert headers.content_range(found) == "bytes 2-4/10"
    assert messages.time(OBJECT.uploaded) == "2027-01-15T08:00:00.123Z"


def test_buckets_in_parts_and_by_jurisdiction() -> None:
    found = [
        Bucket(name, 0, "Standard", "WEUR") for name in ("a", "b", "c", "eu/a", "eu/d")
    ]

    def names(jurisdiction: str = "", **query: str) -> tuple[list[str], str]:
        part, cursor = messages.buckets(found, query, jurisdiction)
        return [messages.bucket(one)["name"] for one in part], cursor

    assert names() == (["a", "b", "c"], "")
    assert names(per_page="2") == (["a", "b"], "b")
    assert names(per_page="2", cursor="b") == (["c"], "")
    assert names("eu") == (["a", "d"], "")
    assert names(direction="desc") == (["c", "b", "a"], "")
    assert names(direction="desc", per_page="2", cursor="b") == (["a"], "")
    assert names(name_contains="b") == (["b"], "")


@pytest.mark.parametrize(
    ("name", "bucket"),
    [("photos", "photos"), ("eu_photos", "eu/photos"), ("MY_BUCKET", "MY_BUCKET")],
)
def test_a_bucket_of_graphql(name: str, bucket: str) -> None:
    assert messages.figured(name) == bucket


def test_a_jurisdiction_that_is_none() -> None:
    with pytest.raises(errors.InvalidArgument):
        messages.bucket_name("photos", "../x")
