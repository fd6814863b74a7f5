"""The JSON of the engine's R2 client, as it was captured."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedge.bindings.r2 import wire
from selfedge.bindings.r2.errors import InvalidArgument
from selfedge.bindings.r2.model import Conditions, Etag, HttpMetadata, Object, Range


def test_a_put_as_it_was_captured() -> None:
    raw = (
        '{"version":1,"method":"put","object":"a/b é","customFields":[{"k":"k","v":"v"}'
        '],"httpFields":{"contentType":"text/plain","cacheControl":"max-age=1",'
        '"cacheExpiry":"1800000000000"},"sha256":"b94d27","md5":"AAEC",'
        '"storageClass":"InfrequentAccess"}'
    )
    put = wire.request(raw.encode())
    assert isinstance(put, wire.Put)
    options = put.options
    assert put.object == "a/b é"
    assert options.custom == {"k": "v"}
    assert options.http == HttpMetadata(
        content_type="text/plain",
        cache_control="max-age=1",
        cache_expiry=1_800_000_000_000,
    )
    assert options.digests == {"md5": b"\0\1\2", "sha256": b"\xb9\x4d\x27"}
    assert options.storage_class == "InfrequentAccess"


def test_a_get_as_it_was_captured() -> None:
    raw = (
        '{"version":1,"method":"get","object":"k","range":{"offset":"2","length":"3"},'
        '"onlyIf":{"etagMatches":[{"value":"zzz","type":"strong"}],"etagDoesNotMatch":'
        '[{"type":"wildcard"}],"uploadedAfter":"0","secondsGranularity":true}}'
    )
    get = wire.request(raw.encode())
    assert isinstance(get, wire.Get)
    assert get.asked == Range(offset=2, length=3)
    assert get.only_if == Conditions(
        etag_matches=[Etag("strong", "zzz")],
        etag_does_not_match=[Etag("wildcard")],
        uploaded_after=0,
        seconds_granularity=True,
    )


def test_a_header_of_a_range_wins() -> None:
    raw = b'{"method":"get","object":"k","rangeHeader":"bytes=0-1","range":{}}'
    get = wire.request(raw)
    assert isinstance(get, wire.Get)
    assert get.asked == "bytes=0-1"


def test_a_list_as_it_was_captured() -> None:
    raw = (
        b'{"version":1,"method":"list","limit":2,"prefix":"","include":[0,1],'
        b'"newRuntime":true,"delimiter":"/","startAfter":"a"}'
    )
    asked = wire.request(raw)
    assert isinstance(asked, wire.List)
    query = asked.query
    assert (query.limit, query.http, query.custom) == (2, True, True)
    assert (query.delimiter, query.start_after) == ("/", "a")


def test_deletes_of_one_and_of_several() -> None:
    one = wire.request(b'{"method":"delete","object":"bin"}')
    several = wire.request(b'{"method":"delete","objects":["nul","big"]}')
    assert isinstance(one, wire.Delete)
    assert isinstance(several, wire.Delete)
    assert (one.keys, several.keys) == (["bin"], ["nul", "big"])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'{"method":"copy","object":"k"}',
        b'{"object":"k"}',
        b'{"method":"get"}',
        b'{"method":"get","object":5}',
        b'{"method":"get","object":"\\ud800"}',
        b'{"method":"get","object":"k","range":{"offset":"x"}}',
        b'{"method":"list","limit":-1}',
        b'{"method":"list","limit":1e30}',
        b'{"method":"uploadPart","object":"k","uploadId":"u"}',
        b'{"method":"get","object":"k","ssec":{"key":"aa"}}',
        b'{"method":"get","object":"k","onlyIf":{"etagMatches":[{"type":"odd"}]}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_request_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidArgument):
        wire.request(raw)


@pytest.mark.parametrize(
    ("name", "text"), [("md5", "!"), ("sha1", "0g"), ("sha1", "0")]
)
def test_a_checksum_that_is_none_is_refused(name: str, text: str) -> None:
    put = wire.request(
        json.dumps({"method": "put", "object": "k", name: text}).encode()
    )
    assert isinstance(put, wire.Put)
    with pytest.raises(InvalidArgument, match=name):
        _ = put.options


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
_METHODS = (
    "head",
    "get",
    "put",
    "list",
    "delete",
    "uploadPart",
    "abortMultipartUpload",
)
_FIELDS = ("object", "objects", "range", "onlyIf", "limit", "parts", "httpFields")


@given(st.sampled_from(_METHODS), st.dictionaries(st.sampled_from(_FIELDS), _JSON))
def test_any_json_is_a_request_or_is_refused(method: str, fields: dict) -> None:
    with suppress(InvalidArgument):
        wire.request(json.dumps({"method": method, **fields}).encode())


def test_an_object_is_written_as_the_engine_reads_it() -> None:
    found = Object(
        key="a\nü",
        version="v",
        size=5,
        etag="e",
        uploaded=7,
        http=HttpMetadata(content_type="a/b"),
        custom={"k": "ü"},
        checksums={"md5": "00", "sha512": "11"},
    )
    assert json.loads(wire.object_json(found, (1, 2))) == {
        "name": "a\nü",
        "version": "v",
        "size": 5,
        "etag": "e",
        "uploaded": 7,
        "httpFields": {"contentType": "a/b"},
        "customFields": [{"k": "k", "v": "ü"}],
        "checksums": {"0": "00", "4": "11"},
        "storageClass": "Standard",
        "range": {"offset": 1, "length": 2},
    }
    assert "range" not in json.loads(wire.object_json(found))


@given(st.text())
def test_an_error_is_one_line_of_raw_utf8(message: str) -> None:
    raw = wire.error_json(10001, message)
    assert not set(raw) & {10, 13, 0}
    assert json.loads(raw)["v4code"] == 10001
