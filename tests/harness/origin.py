"""A small HTTP server that stands for somebody else's site, and counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self


@dataclass(frozen=True, slots=True)
class Received:
    """A request as the origin saw it."""

    method: str
    path: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes


class Origin:
    """Answers every request with `text`; a context manager."""

    def __init__(self, text: str, headers: Mapping[str, str] | None = None) -> None:
        self.requests: list[Received] = []
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), _handler(text.encode(), headers or {}, self.requests)
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(
    body: bytes, headers: Mapping[str, str], seen: list[Received]
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            received = self.rfile.read(int(self.headers.get("content-length", 0)))
            names = {name.lower(): value for name, value in self.headers.items()}
            seen.append(Received(self.command, self.path, names, received))
            self.send_response(200)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the names asked for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Stay silent."""

    return Handler
