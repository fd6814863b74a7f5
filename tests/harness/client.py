"""One HTTP request and its whole answer."""

import http.client
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any, TypeAlias
from urllib.parse import urlsplit

TIMEOUT_S = 60.0

Body: TypeAlias = str | bytes | Iterable[bytes] | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, read to its end."""

    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


def fetch(
    url: str,
    *,
    method: str | None = None,
    headers: Mapping[str, str] | None = None,
    body: Body = None,
    json_body: object = None,
    timeout_s: float = TIMEOUT_S,
) -> Answer:
    """Ask on a connection of its own; with a body the method is POST."""
    if json_body is not None:
        body = json.dumps(json_body)
        headers = {"content-type": "application/json", **(headers or {})}
    if isinstance(body, str):
        body = body.encode()
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port, timeout=timeout_s
    )
    try:
        target = parts.path or "/"
        if parts.query:
            target += f"?{parts.query}"
        verb = method or ("GET" if body is None else "POST")
        connection.request(verb, target, body, dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()
