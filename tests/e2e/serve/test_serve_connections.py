"""What clients may do with a connection: TLS, WebSockets, streams, proxies."""

import base64
import os
import signal
import socket
import ssl
import threading
import time
from urllib.parse import urlsplit

ECHO = """export default { async fetch(request) {
  if (request.headers.get("upgrade") === "websocket") {
    const { 0: client, 1: server } = new WebSocketPair();
    server.accept();
    server.addEventListener("message", ({ data }) => server.send(`echo ${data}`));
    return new Response(null, { status: 101, webSocket: client });
  }
  const path = new URL(request.url).pathname;
  if (path === "/stream") {
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    (async () => {
      for (let i = 0; i < 4; i++) {
        await writer.write(new TextEncoder().encode(`data: ${i}\\n\\n`));
        await new Promise((done) => setTimeout(done, 150));
      }
      await writer.close();
    })();
    return new Response(readable, { headers: { "content-type": "text/event-stream" } });
  }
  if (path === "/gzip") {
    const headers = { "content-encoding": "gzip" };
    return new Response("packed ".repeat(1000), { headers });
  }
  const body = await request.text();
  return Response.json({ url: request.url, size: body.length,
    headers: Object.fromEntries(request.headers) });
} }"""


def connected(node):
    parts = urlsplit(node.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=10)


def read_head(one):
    head = b""
    while b"\r\n\r\n" not in head:
        head += one.recv(1)
    return head.decode()


def test_a_websocket_passes_the_front(serve):
    node = serve()
    node.deploy("echo", ECHO)
    with connected(node) as one:
        key = base64.b64encode(os.urandom(16)).decode()
        one.sendall(
            f"GET / HTTP/1.1\r\nHost: echo.localhost\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert " 101 " in read_head(one)
        payload, mask = b"hi", b"\1\2\3\4"
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        one.sendall(bytes([0x81, 0x80 | len(payload)]) + mask + masked)
        assert one.recv(100)[2:] == b"echo hi"


def test_events_arrive_as_they_are_sent(serve):
    node = serve()
    node.deploy("echo", ECHO)
    node.get("echo")
    arrivals = []
    with connected(node) as one:
        one.sendall(b"GET /stream HTTP/1.1\r\nHost: echo.localhost\r\n\r\n")
        read_head(one)
        while len(arrivals) < 4:
            if b"data:" in one.recv(1000):
                arrivals.append(time.monotonic())
    assert arrivals[-1] - arrivals[0] > 0.3


def test_packed_answers_pass_unchanged(serve):
    node = serve()
    node.deploy("echo", ECHO)
    answer = node.get("echo", "/gzip", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.body[:2] == b"\x1f\x8b"


def test_a_client_that_waits_to_send_its_body_is_told_to(serve):
    node = serve()
    node.deploy("echo", ECHO)
    with connected(node) as one:
        one.sendall(
            b"POST / HTTP/1.1\r\nHost: echo.localhost\r\n"
            b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        )
        assert "100 Continue" in read_head(one)
        one.sendall(b"12345")
        assert " 200 " in read_head(one)


def test_many_requests_on_one_connection(serve):
    node = serve()
    node.deploy("echo", ECHO)
    with connected(node) as one:
        for _ in range(5):
            one.sendall(b"HEAD / HTTP/1.1\r\nHost: echo.localhost\r\n\r\n")
            assert " 200 " in read_head(one)


def ask_over_tls(node, trusting):
    """Ask some times on one connection; it may be closed after any answer."""
    with trusting.wrap_socket(connected(node)) as one:
        for _ in range(5):
            one.sendall(b"GET / HTTP/1.1\r\nHost: echo.localhost\r\n\r\n")
            head = read_head(one).lower()
            assert " 200 " in head, head
            length = int(head.split("content-length: ")[1].split()[0])
            body = b""
            while len(body) < length:
                body += one.recv(length)
            assert b'"url":"https://echo.localhost/"' in body, body
            if "connection: close" in head:
                return


def test_tls_with_a_certificate_that_is_renewed_under_load(serve):
    node = serve("--tls-self-signed")
    node.deploy("echo", ECHO)
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.load_verify_locations(node.data / "tls" / "self-signed.pem")
    failures, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            try:
                ask_over_tls(node, trusting)
            except (OSError, AssertionError) as error:
                failures.append(repr(error))

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    for _ in range(3):
        since = node.position
        node.signal(signal.SIGHUP)
        node.wait_for_line("The certificate was read again", since=since)
    stop.set()
    for client in clients:
        client.join()
    assert not failures


def test_only_a_trusted_proxy_tells_the_clients_address(serve):
    told = {"x-forwarded-for": "203.0.113.9, 127.0.0.1", "x-forwarded-proto": "https"}
    node = serve("--trust-proxy", "127.0.0.0/8")
    node.deploy("echo", ECHO)
    heard = node.get("echo", headers=told).json()
    assert heard["headers"]["cf-connecting-ip"] == "203.0.113.9"
    assert heard["headers"]["x-forwarded-proto"] == "https"
    assert heard["url"] == "https://echo.localhost/"

    other = serve("--trust-proxy", "10.0.0.0/8")
    other.deploy("echo", ECHO)
    heard = other.get("echo", headers=told).json()
    assert heard["headers"]["cf-connecting-ip"] == "127.0.0.1"
    assert heard["headers"]["x-forwarded-proto"] == "http"
    assert heard["url"] == "http://echo.localhost/"


def test_an_answer_that_comes_before_the_body_is_read_is_heard(serve):
    node = serve()
    node.deploy(
        "early",
        """export default { async fetch(request) {
          if (request.url.endsWith("/echo")) return new Response(request.body);
          return new Response("early", { status: 413 });
        } }""",
    )
    for size in (4, 1_000, 70_000, 1_000_000):
        for _ in range(20):
            answer = node.get("early", method="POST", body=b"x" * size)
            assert (answer.status, answer.text) == (413, "early")
        assert len(node.get("early", "/echo", body=b"x" * size).body) == size
