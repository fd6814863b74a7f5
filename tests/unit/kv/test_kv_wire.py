"""Requests of workerd's KV client, as bytes, and what they are read as."""

import json

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from selfedge.bindings.kv import errors, wire
from selfedge.bindings.kv.model import ListedKey, Page, PutOptions


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("GET", "/k?urlencoded=true", wire.Get("k", None)),
        ("GET", "/k?urlencoded=true&cache_ttl=60", wire.Get("k", 60)),
        ("GET", "/a%2Fb%20c%3Fd%23%C3%A9?urlencoded=true", wire.Get("a/b c?d#é", None)),
        ("GET", "/a+b?urlencoded=true", wire.Get("a+b", None)),
        ("GET", "/%252F?urlencoded=true", wire.Get("%2F", None)),
        ("GET", "//?urlencoded=true", wire.Get("/", None)),
        ("GET", "/é", wire.Get("é", None)),
        ("DELETE", "/k?urlencoded=true", wire.Delete("k")),
        ("POST", "/bulk/get", wire.BulkGet()),
        ("GET", "/", wire.List("", 1000, None)),
        ("GET", "/?", wire.List("", 1000, None)),
        (
            "GET",
            "/?key_count_limit=5&prefix=a%2F%20%C3%A9&cursor=YQ==",
            wire.List("a/ é", 5, "YQ=="),
        ),
        ("GET", "/?prefix=a+b&cursor=", wire.List("a b", 1000, None)),
        ("PUT", "/k?urlencoded=true", wire.Put("k", PutOptions())),
        (
            "PUT",
            "/k?urlencoded=true&expiration=99&expiration_ttl=60",
            wire.Put("k", PutOptions(expiration=99, expiration_ttl=60)),
        ),
    ],
)
def test_a_request_is_read(method: str, target: str, expected: wire.Request) -> None:
    assert wire.request(method, target, None) == expected


def test_metadata_is_the_header_as_utf_8() -> None:
    asked = wire.request("PUT", "/k?urlencoded=true", '{"m":"é"}')
    assert asked == wire.Put("k", PutOptions(metadata='{"m":"é"}'))


@pytest.mark.parametrize(
    ("method", "target", "metadata", "message"),
    [
        ("GET", "/%FF?urlencoded=true", None, "Invalid key encoding"),
        ("GET", "/%zz?urlencoded=true", None, "Invalid key encoding"),
        ("GET", "/%", None, "Invalid key encoding"),
        ("GET", "/\udcff?urlencoded=true", None, "Invalid key encoding"),
        ("GET", "http://elsewhere/k", None, "Invalid key encoding"),
        ("GET", "/?prefix=%FF", None, "Invalid query string"),
        ("GET", "/?" + "&".join("a=1" for _ in range(99)), None, "Invalid query"),
        ("GET", "/k?cache_ttl=x", None, "Invalid cache_ttl of x. Cache TTL must"),
        ("GET", "/k?cache_ttl=6.5", None, "Invalid cache_ttl of 6.5"),
        ("GET", "/?key_count_limit=", None, "Invalid key_count_limit of . Please"),
        ("PUT", "/k?expiration_ttl=x", None, "Invalid expiration_ttl of x. Please"),
        ("PUT", "/k?expiration=" + "9" * 30, None, "Invalid expiration of 999"),
        ("PUT", "/k?expiration=\u0661", None, "Invalid expiration of"),
        ("PUT", "/k", "\udcff", "Metadata must be valid JSON"),
        ("PATCH", "/k", None, "Method Not Allowed"),
        ("POST", "/k", None, "Method Not Allowed"),
        ("POST", "/bulk/get/", None, "Method Not Allowed"),
    ],
)
def test_a_request_that_is_none_is_refused(
    method: str, target: str, metadata: str | None, message: str
) -> None:
    with pytest.raises(errors.KVError) as caught:
        wire.request(method, target, metadata)
    assert str(caught.value).startswith(message)


@given(
    st.sampled_from(["GET", "PUT", "DELETE", "POST", "HEAD"]),
    st.text(st.characters(codec=None), max_size=60),
    st.none() | st.text(st.characters(codec=None), max_size=20),
)
def test_any_request_is_read_or_refused(
    method: str, target: str, metadata: str | None
) -> None:
    try:
        asked = wire.request(method, "/" + target, metadata)
    except errors.KVError as error:
        wire.reason(str(error)).encode()
    else:
        if isinstance(asked, wire.Get | wire.Put | wire.Delete):
            asked.key.encode()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Invalid JSON"),
        (b"[]", "Invalid JSON"),
        (b'{"keys": [1]}', "Invalid JSON"),
        (b'{"keys": "a"}', "Invalid JSON"),
        (b"\xff", "Invalid JSON"),
        (b"[" * 100_000, "Invalid JSON"),
        (b'{"keys":["a"],"type":"stream"}', '"stream" is not a valid type. Use "json"'),
    ],
)
def test_a_bulk_body_that_is_none_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(errors.KVError) as caught:
        wire.bulk_body(body)
    assert str(caught.value).startswith(message)


def test_a_bulk_body_is_read() -> None:
    body = b'{"keys":["a"],"type":"json","withMetadata":true,"cacheTtl":"300"}'
    assert wire.bulk_body(body) == wire.BulkBody(["a"], "json", True, "300")  # noqa: FBT003


def test_a_page_has_metadata_as_a_string_and_a_cursor_only_when_there_is_more() -> None:
    page = Page([ListedKey("a", None, None), ListedKey("é", 99, '{"m":1}')], None)
    assert json.loads(wire.list_json(page)) == {
        "keys": [{"name": "a"}, {"name": "é", "expiration": 99, "metadata": '{"m":1}'}],
        "list_complete": True,
    }
    assert json.loads(wire.list_json(Page([], "YQ=="))) == {
        "keys": [],
        "list_complete": False,
        "cursor": "YQ==",
    }


def test_a_bulk_answer_has_real_json() -> None:
    asked = wire.BulkBody(["a", "b"], "json", with_metadata=True)
    found = {"a": (b'{"n":12345678901234567890}', '{"m":1}'), "b": None}
    assert wire.bulk_json(asked, found) == (
        b'{"a":{"value":{"n":12345678901234567890},"metadata":{"m":1}},"b":null}'
    )


@pytest.mark.parametrize("value", [b"", b"{", b"\xff", b"[" * 100_000])
def test_a_value_that_is_no_json_fails_a_bulk_get_of_json(value: bytes) -> None:
    with pytest.raises(errors.InvalidBulk, match="non-json value"):
        wire.bulk_json(wire.BulkBody(["a"], "json"), {"a": (value, None)})


def test_metadata_cannot_add_a_header() -> None:
    assert wire.metadata_value('{"a":\r\n1}') == b'{"a":  1}'


@given(st.text(st.characters(codec=None)))
def test_a_reason_is_one_short_line_of_utf_8(message: str) -> None:
    reason = wire.reason(message).encode()
    assert b"\n" not in reason
    assert b"\r" not in reason
    assert len(reason) <= 4 * 800


def test_bulk_body_defaults_match_the_client() -> None:
    assert wire.bulk_body(b'{"keys":[]}') == msgspec.convert({}, wire.BulkBody)
