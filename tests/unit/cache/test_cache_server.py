"""What the server does with requests that the engine never, or rarely, sends."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cache_node import response

from selfedge.bindings.cache.limits import MIB

Connect = Callable[[], socket.socket]


@pytest.fixture
def connect(services: Path) -> Connect:
    def connected() -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(10)
        client.connect(str(services))
        return client

    return connected


@pytest.fixture
def client(connect: Connect) -> Iterator[socket.socket]:
    with closing(connect()) as made:
        yield made


def head(method: str, path: str, *lines: str) -> bytes:
    fixed = ("Host: example.com", "selfedge-proto: https", "selfedge-binding: cache:w")
    return "\r\n".join((f"{method} {path} HTTP/1.1", *fixed, *lines, "", "")).encode()


def ask(client: socket.socket, request: bytes) -> tuple[int, bytes, bytes]:
    """Return status, head and body of the answer to `request`."""
    client.sendall(request)
    received = b""
    while b"\r\n\r\n" not in received:
        received += client.recv(65536) or pytest.fail("closed without an answer")
    top, _, body = received.partition(b"\r\n\r\n")
    lines = dict(line.lower().split(b": ", 1) for line in top.split(b"\r\n")[1:])
    while len(body) < int(lines.get(b"content-length", 0)):
        body += client.recv(65536) or pytest.fail("closed within the body")
    return int(top.split()[1]), top, body


def put(path: str, raw: bytes) -> bytes:
    return head("PUT", path, f"Content-Length: {len(raw)}") + raw


def test_put_match_purge_on_one_connection(client: socket.socket) -> None:
    """The connection stays open, and no header is added to the stored ones."""
    assert ask(client, head("GET", "/a"))[0] == 504
    assert ask(client, put("/a", response(b"hello")))[0] == 204
    status, top, body = ask(client, head("GET", "/a"))
    assert (status, body) == (200, b"hello")
    assert top.split(b"\r\n") == [
        b"HTTP/1.1 200 Fine",
        b"Cache-Control: max-age=60",
        b"CF-Cache-Status: HIT",
        b"Age: 0",
        b"Content-Length: 5",
    ]
    assert ask(client, head("PURGE", "/a"))[0] == 200
    assert ask(client, head("PURGE", "/a"))[0] == 404


@pytest.mark.parametrize("method", ["POST", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods(client: socket.socket, method: str) -> None:
    """405, and the connection goes on."""
    request = head(method, "/a", "Content-Length: 2") + b"{}"
    assert ask(client, request)[0] == 405
    assert ask(client, head("GET", "/none"))[0] == 504


@pytest.mark.parametrize(
    "raw", [b"", b"nonsense", b"HTTP/1.1 200 OK\r\nbad\r\n\r\n", response(status=206)]
)
def test_malformed_puts(client: socket.socket, raw: bytes) -> None:
    """413, as for all that is not stored, and the connection goes on."""
    assert ask(client, put("/bad", raw))[0] == 413
    assert ask(client, head("GET", "/bad"))[0] == 504


@pytest.mark.parametrize("sent", [0, 20, 100_000, 2 * MIB])
@pytest.mark.parametrize("chunked", [False, True])
def test_cut_puts_are_not_stored(connect: Connect, sent: int, *, chunked: bool) -> None:
    """A connection that ends within the body, small or large, leaves nothing."""
    raw = response(bytes(3 * MIB)).replace(b"Content-Length", b"X-Length")
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(raw)}"
    part = raw[:sent]
    if chunked and sent:
        part = b"%x\r\n%b\r\n" % (len(part), part)
    with closing(connect()) as cut:
        cut.sendall(head("PUT", "/cut", framing) + part)
    with closing(connect()) as client:
        assert ask(client, head("GET", "/cut"))[0] == 504


def test_a_refused_body_is_read_away(client: socket.socket) -> None:
    """A large body that is refused at its head does not end the connection."""
    raw = response(bytes(3 * MIB), Cache_Control="no-store")
    assert ask(client, put("/large", raw))[0] == 413
    assert ask(client, head("GET", "/large"))[0] == 504


def test_head_in_many_pieces(client: socket.socket) -> None:
    """The serialized head may come byte by byte."""
    raw = response(b"slow", X_Name="v")
    client.sendall(head("PUT", "/slow", "Transfer-Encoding: chunked"))
    for byte in raw:
        client.sendall(b"1\r\n%c\r\n" % byte)
    assert ask(client, b"0\r\n\r\n")[0] == 204
    assert ask(client, head("GET", "/slow"))[2] == b"slow"


def test_client_that_leaves_within_a_large_body(connect: Connect) -> None:
    """The next one gets all of it."""
    raw = response(bytes(3 * MIB))
    with closing(connect()) as first:
        assert ask(first, put("/leave", raw))[0] == 204
        first.sendall(head("GET", "/leave"))
        assert first.recv(100)
    with closing(connect()) as second:
        assert ask(second, head("GET", "/leave"))[2] == bytes(3 * MIB)


def test_damaged_large_body_is_cut_not_invented(
    connect: Connect, state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that is too short ends the connection: the client sees an error."""
    with closing(connect()) as client:
        assert ask(client, put("/short", response(b"s" * 3 * MIB)))[0] == 204
        for file in (state / "cache" / "blobs").iterdir():
            file.write_bytes(b"s" * MIB)
        client.sendall(head("GET", "/short"))
        received = 0
        while chunk := client.recv(1 << 20):
            received += len(chunk)
        assert received < 2 * MIB
    assert caplog.records == []


def test_url_is_taken_as_it_is(client: socket.socket) -> None:
    """Escapes are not decoded, so different URLs stay different."""
    assert ask(client, put("/a%2Fb?x=%20", response(b"1")))[0] == 204
    assert ask(client, head("GET", "/a/b?x=%20"))[0] == 504
    assert ask(client, head("GET", "/a%2Fb?x=+"))[0] == 504
    assert ask(client, head("GET", "/a%2Fb?x=%20"))[2] == b"1"


def test_long_urls_and_headers(client: socket.socket) -> None:
    """URLs of 16 KB and headers of 100 KB, as Workers may have, are keys like any."""
    path, cookie = "/" + "a" * 16_000, "Cookie: " + "b" * 100_000
    raw = response(b"long", Vary="Cookie", X_Long="c" * 100_000)
    request = head("PUT", path, f"Content-Length: {len(raw)}", cookie)
    assert ask(client, request + raw)[0] == 204
    status, top, body = ask(client, head("GET", path, cookie))
    assert (status, body) == (200, b"long")
    assert b"c" * 100_000 in top
    assert ask(client, head("GET", f"{path}a", cookie))[0] == 504
