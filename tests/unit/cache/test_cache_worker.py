"""The Cache API as a Worker in the real engine sees it."""

import hashlib
import itertools
from typing import Any

import pytest
from cache_engine import Caches

from selfedge.bindings.cache.limits import MIB

_numbers = itertools.count()


@pytest.fixture
def url() -> str:
    return f"https://example.com/{next(_numbers)}?a=b%20c"


def put(url: str, body: object = "hello", **headers: str) -> dict[str, Any]:
    headers.setdefault("Cache_Control", "max-age=60")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"op": "put", "url": url, "body": body, "headers": named}


def match(url: str, **headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"op": "match", "url": url, "request": named}


def delete(url: str) -> dict[str, Any]:
    return {"op": "delete", "url": url}


def test_hit(caches: Caches, url: str) -> None:
    """The response comes back with its headers, `cf-cache-status` and `age`."""
    miss, done, hit = caches.run(
        match(url), put(url, X_Name="v", Content_Type="text/x"), match(url)
    )
    assert (miss, done) == (None, "put")
    assert (hit["status"], hit["text"]) == (200, "hello")
    assert hit["headers"] == {
        "age": "0",
        "cache-control": "max-age=60",
        "cf-cache-status": "HIT",
        "content-length": "5",
        "content-type": "text/x",
        "x-name": "v",
    }


def test_age_and_expiry(caches: Caches, url: str) -> None:
    """`age` grows with time, and the response is gone when it is stale."""
    caches.run(put(url))
    caches.clock.now += 59
    [hit] = caches.run(match(url))
    caches.clock.now += 1
    assert hit["headers"]["age"] == "59"
    assert caches.run(match(url), delete(url)) == [None, False]


def test_delete(caches: Caches, url: str) -> None:
    """`delete` is true once."""
    answers = caches.run(put(url), delete(url), delete(url), match(url))
    assert answers == ["put", True, False, None]


def test_caches_are_apart(caches: Caches, url: str) -> None:
    """Each name, scheme and Worker has its own; a name may be any text."""
    names = ["a", "my cache/é", "A"]
    for name in names:
        caches.run({**put(url, f"in {name}"), "cache": name})
    for name in names:
        [hit] = caches.run({**match(url), "cache": name})
        assert hit["text"] == f"in {name}"
    plain = url.replace("https:", "http:")
    assert caches.run(match(url), match(plain)) == [None, None]
    assert caches.run({**match(url), "cache": "a"}, worker="two") == [None]


def test_headers_of_ours_cannot_be_forged(caches: Caches, url: str) -> None:
    """A Worker that sends our private headers changes neither scheme nor key."""
    other = url.replace("https:", "http:")
    forged = {"selfedge_proto": "http", "selfedge_cf": '{"cacheKey":"k"}'}
    caches.run(put(url))
    hit, miss = caches.run(
        match(url, **forged),
        match(other, selfedge_proto="https", selfedge_binding="cache:two"),
    )
    assert hit["text"] == "hello"
    assert miss is None


def test_cache_key_of_cf(caches: Caches, url: str) -> None:
    """`cf.cacheKey` stands for the URL."""
    cf = {"cf": {"cacheKey": "https://example.com/key-of-cf"}}
    _, hit, miss = caches.run(
        {**put(url), **cf}, {**match(f"{url}&more"), **cf}, match(url)
    )
    assert hit["text"] == "hello"
    assert miss is None


@pytest.mark.parametrize(
    "headers",
    [
        {"Cache_Control": "no-store"},
        {"Cache_Control": "private, max-age=60"},
        {"Cache_Control": "no-cache"},
        {"Cache_Control": "max-age=0"},
        {"Cache_Control": "", "Expires": "0"},
        {"Set_Cookie": "a=b"},
    ],
)
def test_refused(caches: Caches, url: str, headers: dict[str, str]) -> None:
    """`put` resolves, and nothing is stored."""
    assert caches.run(put(url, **headers), match(url)) == ["put", None]


def test_without_headers(caches: Caches, url: str) -> None:
    """A 200 that names no time is kept for two hours, a 500 is not kept."""
    step = {"op": "put", "url": url, "body": "x"}
    assert caches.run({**step, "status": 500}, match(url))[1] is None
    assert caches.run(step, match(url))[1]["text"] == "x"
    caches.clock.now += 7200
    assert caches.run(match(url)) == [None]


def test_cookie(caches: Caches, url: str) -> None:
    """`private=Set-Cookie` stores the response without the cookie."""
    control = "private=Set-Cookie, max-age=60"
    _, hit = caches.run(put(url, Set_Cookie="a=b", Cache_Control=control), match(url))
    assert hit["text"] == "hello"
    assert "set-cookie" not in hit["headers"]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"status": 206}, "Cannot cache response to a range request"),
        ({"headers": {"Vary": "*"}}, "Cannot cache response with 'Vary: *' header."),
        ({"method": "POST"}, "Cannot cache response to non-GET request."),
    ],
)
def test_put_throws(
    caches: Caches, url: str, step: dict[str, Any], message: str
) -> None:
    """What the engine refuses by itself."""
    [answer] = caches.run({**put(url), **step})
    assert message in answer["error"]


def test_other_methods(caches: Caches, url: str) -> None:
    """A HEAD or POST matches only with `ignoreMethod`."""
    head = {**match(url), "method": "HEAD"}
    ignoring = {**head, "options": {"ignoreMethod": True}}
    _, miss, hit = caches.run(put(url), head, ignoring)
    assert miss is None
    assert hit["text"] == "hello"


def test_vary(caches: Caches, url: str) -> None:
    """Requests select by the headers that `Vary` names."""
    german, english = {"accept-language": "de"}, {"accept-language": "en"}
    caches.run(
        {**put(url, "hallo", Vary="Accept-Language"), "request": german},
        {**put(url, "hello", Vary="Accept-Language"), "request": english},
    )
    de, en, none = caches.run(
        {**match(url), "request": german},
        {**match(url), "request": english},
        match(url),
    )
    assert (de["text"], en["text"], none) == ("hallo", "hello", None)
    assert caches.run(delete(url), {**match(url), "request": german}) == [True, None]


@pytest.mark.parametrize("size", [1000, 100_000, 3 * MIB])
def test_range(caches: Caches, url: str, size: int) -> None:
    """One range is 206, one beyond the end 416, several are the whole."""
    caches.run(put(url, {"size": size}, ETag='"e"'))
    part, suffix, beyond, several, stale = caches.run(
        match(url, Range="bytes=10-19"),
        match(url, Range="bytes=-5"),
        match(url, Range=f"bytes={size}-"),
        match(url, Range="bytes=0-1,4-5"),
        match(url, Range="bytes=10-19", If_Range='"f"'),
    )
    assert (part["status"], part["size"]) == (206, 10)
    assert part["headers"]["content-range"] == f"bytes 10-19/{size}"
    assert part["headers"]["content-length"] == "10"
    assert (suffix["status"], suffix["size"]) == (206, 5)
    assert (beyond["status"], beyond["size"]) == (416, 0)
    assert beyond["headers"]["content-range"] == f"bytes */{size}"
    assert (several["status"], several["size"]) == (200, size)
    assert (stale["status"], stale["size"]) == (200, size)


def test_conditionals(caches: Caches, url: str) -> None:
    """A client that has the response gets 304."""
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    caches.run(put(url, ETag='"é"', Last_Modified=date))
    tag, since, other = caches.run(
        match(url, If_None_Match='W/"é"'),
        match(url, If_Modified_Since=date),
        match(url, If_None_Match='"f"', If_Modified_Since=date),
    )
    assert [tag["status"], since["status"], other["status"]] == [304, 304, 200]
    assert (tag["size"], tag["headers"]["cf-cache-status"]) == (0, "HIT")
    assert "content-length" not in tag["headers"]


@pytest.mark.parametrize("status", [201, 204, 301, 404, 500, 504])
def test_statuses(caches: Caches, url: str, status: int) -> None:
    """Any status with a time to live is kept, a 504 too."""
    body = None if status == 204 else "x"
    _, hit = caches.run({**put(url, body), "status": status}, match(url))
    assert (hit["status"], hit["text"]) == (status, body or "")


@pytest.mark.parametrize("chunks", [1, 3, 50])
def test_streams_of_unknown_length(caches: Caches, url: str, chunks: int) -> None:
    """A streamed body is stored as it was."""
    size = 60_000
    body = b"".join(bytes([number % 251]) * size for number in range(chunks))
    _, hit = caches.run(put(url, {"chunks": chunks, "size": size}), match(url))
    assert hit["sha256"] == hashlib.sha256(body).hexdigest()
    assert "transfer-encoding" not in hit["headers"]


@pytest.mark.parametrize("chunks", [1, 50])
def test_cut_streams_are_not_stored(caches: Caches, url: str, chunks: int) -> None:
    """A body that fails half-way leaves nothing."""
    body = {"chunks": chunks, "size": 60_000, "fail": True}
    _, miss = caches.run(put(url, body), match(url))
    assert miss is None


@pytest.mark.parametrize(
    "body", [{"size": 4 * MIB + 1}, {"chunks": 90, "size": 60_000}]
)
def test_too_large(caches: Caches, url: str, body: object) -> None:
    """`put` of a body over the limit resolves, nothing is stored, all goes on."""
    assert caches.run(put(url, body), match(url)) == ["put", None]
    assert caches.run(put(url), match(url))[1]["text"] == "hello"


def test_largest(caches: Caches, url: str) -> None:
    """A body of just the limit is stored and streamed back."""
    _, hit = caches.run(put(url, {"size": 4 * MIB}), match(url))
    assert hit["sha256"] == hashlib.sha256(b"\7" * 4 * MIB).hexdigest()


def test_content_encoding(caches: Caches, url: str) -> None:
    """Compressed bytes are kept compressed and the Worker reads the text."""
    step = {**put(url, "hello " * 100, Content_Encoding="gzip"), "gzip": True}
    _, hit = caches.run({**step, "raw": True}, match(url))
    assert hit["text"] == "hello " * 100
    assert hit["headers"]["content-encoding"] == "gzip"
    assert int(hit["headers"]["content-length"]) < 600
    _, again = caches.run(put(url, "hi", Content_Encoding="gzip"), match(url))
    assert again["text"] == "hi"


def test_header_bytes(caches: Caches, url: str) -> None:
    """Header text beyond ASCII is the same text again."""
    _, hit = caches.run(put(url, X_Name="é ✓"), match(url))
    assert hit["headers"]["x-name"] == "é ✓"


def test_authorized(caches: Caches, url: str) -> None:
    """A response to a request with credentials is stored when it says so."""
    secret = {"request": {"authorization": "Bearer x"}}
    assert caches.run({**put(url), **secret}, match(url))[1] is None
    public = put(url, Cache_Control="public, max-age=60")
    assert caches.run({**public, **secret}, match(url))[1]["text"] == "hello"
