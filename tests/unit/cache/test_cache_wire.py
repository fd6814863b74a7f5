"""Heads of serialized responses, and cache keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedge.bindings.cache.wire import (
    MalformedResponse,
    cache_key,
    digest,
    latin1,
    parse_head,
)

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nx-a:2 \r\n"
    b"Transfer-Encoding: chunked\r\nConnection: close, X-Hop\r\nX-Hop: y\r\n"
    b'Age: 3\r\nCF-Cache-Status: MISS\r\nX-Name: \xc3\xa9\xff\r\nETag: "e"'
)


def test_head_is_read() -> None:
    """Status, reason, and headers by lower-case name, repeated ones joined."""
    head = parse_head(HEAD)
    assert (head.status, head.reason) == (200, "OK")
    assert head.combined["x-a"] == "1, 2"
    assert head.combined["etag"] == '"e"'


def test_stored_fields_are_the_same_bytes() -> None:
    """Headers per hop, of the framing and of the cache itself are left out."""
    stored = parse_head(HEAD).stored_fields(frozenset())
    assert stored == b'X-A: 1\r\nx-a: 2\r\nX-Name: \xc3\xa9\xff\r\nETag: "e"\r\n'


def test_dropped_headers_are_not_stored() -> None:
    """Names that `private` lists are left out, whatever their case."""
    stored = parse_head(HEAD).stored_fields(frozenset({"x-a", "x-name"}))
    assert stored == b'ETag: "e"\r\n'


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"GET / HTTP/1.1",
        b"HTTP/2 200 OK",
        b"HTTP/1.1 99 Low",
        b"HTTP/1.1 600 High",
        b"HTTP/1.1 2000 Long",
        b"HTTP/1.1 200OK",
        b"HTTP/1.1 200 a\rb",
        b"HTTP/1.1 200 OK\r\nno colon",
        b"HTTP/1.1 200 OK\r\n: no name",
        b"HTTP/1.1 200 OK\r\nA b: c",
        b"HTTP/1.1 200 OK\r\nA : c",
        b"HTTP/1.1 200 OK\r\n folded: c",
        b"HTTP/1.1 200 OK\r\nA: b\nC: d",
        b"HTTP/1.1 200 OK\r\nA: b\rC: d",
        b"HTTP/1.1 200 OK\r\nA: b\0c",
    ],
)
def test_malformed_heads_are_refused(raw: bytes) -> None:
    """What is no HTTP/1 response, or smuggles a line, is refused by name."""
    with pytest.raises(MalformedResponse):
        parse_head(raw)


@pytest.mark.parametrize("line", [b"HTTP/1.0 404", b"HTTP/1.1 404 ", b"HTTP/1.1 404"])
def test_reason_may_be_absent(line: bytes) -> None:
    """An empty reason phrase is allowed."""
    assert (parse_head(line).status, parse_head(line).reason) == (404, "")


_names = st.text(
    st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=9
).map(lambda name: f"X-{name}")
_values = st.text(
    st.characters(min_codepoint=33, max_codepoint=255), max_size=9
).filter(lambda value: value == value.strip())


@given(fields=st.lists(st.tuples(_names, _values)), status=st.integers(200, 599))
def test_round_trip(fields: list[tuple[str, str]], status: int) -> None:
    """Header lines are stored as they came."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    raw = f"HTTP/1.1 {status} Fine\r\n{lines}".removesuffix("\r\n").encode("latin-1")
    head = parse_head(raw)
    assert status == head.status
    assert lines.encode("latin-1") == head.stored_fields(frozenset())


@given(st.binary())
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    """Nonsense is refused; it never raises anything else."""
    for candidate in (raw, b"HTTP/1.1 200 OK\r\n" + raw):
        try:
            stored = parse_head(candidate).stored_fields(frozenset())
        except MalformedResponse:
            continue
        assert stored.count(b"\r\n") == stored.count(b"\n") == stored.count(b"\r")


def test_each_cache_has_its_own_keys() -> None:
    """Worker, name of the cache and URL all count, an empty name included."""
    keys = {
        digest("a", None, "https://x/"),
        digest("b", None, "https://x/"),
        digest("a", "", "https://x/"),
        digest("a", "default", "https://x/"),
        digest("a", None, "http://x/"),
        digest("a", None, "https://x/?"),
        digest("a", None, "https://x/\udcff"),
    }
    assert len(keys) == 7


@pytest.mark.parametrize(
    ("cf", "key"),
    [
        (None, None),
        ("{}", None),
        ('{"cacheKey": "https://k/"}', "https://k/"),
        ('{"cacheKey": 5}', None),
        ('{"cacheKey"', None),
        ('{"cacheKey": null}', None),
    ],
)
def test_cache_key(cf: str | None, key: str | None) -> None:
    """`request.cf.cacheKey` is read where it is a string."""
    assert key == cache_key(cf)


def test_latin1_keeps_the_bytes() -> None:
    """Text that came as raw UTF-8 compares with text that was kept as Latin-1."""
    assert latin1("plain") == "plain"
    assert "é".encode().decode("latin-1") == latin1("é")
    assert latin1("\udcff") == "\xff"
