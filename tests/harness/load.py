"""Many clients at once: half of them keep their connections, none tries again."""

import http.client
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import Event, Thread
from urllib.parse import urlsplit

TIMEOUT_S = 30.0
_PAUSE_S = 0.004  # between two requests of a client: a load, not a flood
_KEPT = 25  # requests on a connection that is kept


@dataclass
class Load:
    """What the clients have heard so far."""

    answers: list[tuple[str, str]] = field(default_factory=list)  # (method, body)
    failures: list[str] = field(default_factory=list)

    def bodies(self, method: str) -> Sequence[str]:
        return [body for verb, body in self.answers if verb == method]


@contextmanager
def load(
    url: str, *, clients: int = 16, posts_only: bool = False, host: str | None = None
) -> Iterator[Load]:
    """Have `clients` ask for `url` while the context is open, by the name `host`."""
    heard, stop = Load(), Event()
    methods = ("POST",) if posts_only else ("POST", "GET")
    headers = {"host": host} if host else {}
    threads = [
        Thread(
            target=_client,
            args=(url, methods, headers, _KEPT if n % 2 else 1, heard, stop),
        )
        for n in range(clients)
    ]
    for thread in threads:
        thread.start()
    try:
        yield heard
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _client(
    url: str,
    methods: Sequence[str],
    headers: Mapping[str, str],
    kept: int,
    heard: Load,
    stop: Event,
) -> None:
    parts = urlsplit(url)
    numbers = count()
    while not stop.is_set():
        connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=TIMEOUT_S
        )
        with closing(connection):
            for _ in range(kept):
                if stop.is_set():
                    return
                method = methods[next(numbers) % len(methods)]
                _ask(connection, method, headers, heard)
                stop.wait(_PAUSE_S)


def _ask(
    connection: http.client.HTTPConnection,
    method: str,
    headers: Mapping[str, str],
    heard: Load,
) -> None:
    try:
        body = b"body" if method == "POST" else None
        connection.request(method, "/", body, dict(headers))
        response = connection.getresponse()
        text = response.read().decode()
    except (OSError, http.client.HTTPException) as error:
        heard.failures.append(f"{method}: {error!r}")
        connection.close()
        return
    if response.status == 200:
        heard.answers.append((method, text))
    else:
        heard.failures.append(f"{method}: {response.status} {text[:200]}")
