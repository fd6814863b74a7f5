"""Calls of the control API, for commands: plain, blocking, streaming both ways."""

import http.client
import json as json_text
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from selfedge.client.address import Address
from selfedge.errors import ApiError, UsageError

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 600.0  # a model may have to be fetched and loaded first
CHUNK_BYTES = 64 * 1024
PAGES_MAX = 10_000

Body = bytes | Iterable[bytes] | None
"""What is sent: bytes, or parts of a size that is not known (a file, a generator)."""


class Reply:
    """An answer that is read as it comes."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response
        self.status = response.status
        self.content_type = response.headers.get_content_type()

    def header(self, name: str) -> str:
        """Return a header's value, or ""."""
        return self._response.headers.get(name, "")

    def chunks(self) -> Iterator[bytes]:
        """Yield the body's parts as soon as they are there."""
        while part := self._response.read1(CHUNK_BYTES):
            yield part

    def lines(self) -> Iterator[str]:
        """Yield the body's lines as soon as they are whole, without their ends."""
        for line in self._response:
            yield line.decode(errors="replace").rstrip("\r\n")

    def read(self) -> bytes:
        """Return all that is left of the body."""
        return self._response.read()


class Api:
    """Calls one node; each call has a connection of its own."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._account = address.account

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Return the `result` of a call; `path` and `options` are those of `open`.

        Raises:
            ApiError: the call was refused.
            UsageError: the node does not answer.
        """
        with self.open(method, path, **options) as reply:
            return _envelope(reply)["result"]

    def every(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[Any]:
        """Yield the items of all pages of a list.

        Raises:
            ApiError: the call was refused.
            UsageError: the node does not answer.
        """
        for page in range(1, PAGES_MAX):
            items = self.call("GET", path, query={**(query or {}), "page": str(page)})
            if not items:
                return
            yield from items

    @contextmanager
    def open(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: object = None,
        body: Body = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Reply]:
        """Call, and read the answer as it comes; close it with the context.

        `path` is below the base, each segment encoded with `segment`; `{account}` in
        it becomes the account. A `body` that is not bytes is sent in chunks.

        Raises:
            ApiError: the call was refused.
            UsageError: the node does not answer.
        """
        sent = dict(headers or {})
        if json is not None:
            body = json_text.dumps(json).encode()
            sent.setdefault("Content-Type", "application/json")
        sent.setdefault("Authorization", f"Bearer {self._address.token}")
        with closing(_connection(self._address)) as connection:
            yield self._asked(connection, method, self._target(path, query), body, sent)

    def after(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[Any]:
        """Yield the items of all parts of a list that goes on by cursors.

        Raises:
            ApiError: the call was refused.
            UsageError: the node does not answer.
        """
        cursor = ""
        while True:
            asked = {**(query or {}), **({"cursor": cursor} if cursor else {})}
            with self.open("GET", path, query=asked) as reply:
                envelope = _envelope(reply)
            yield from envelope["result"] or ()
            cursor = (envelope.get("result_info") or {}).get("cursor") or ""
            if not cursor:
                return

    @property
    def account(self) -> str:
        """The account: that of the address, or the only one that the token has.

        Raises:
            ApiError: the call was refused.
            UsageError: the token has several, and none was named.
        """
        if not self._account:
            found = self.call("GET", "/accounts")
            if len(found) != 1:
                names = ", ".join(f"{one['id']} ({one['name']})" for one in found)
                raise UsageError(
                    "the token has several accounts. Set SELFEDGE_ACCOUNT to one of "
                    f"{names}."
                )
            self._account = found[0]["id"]
        return self._account

    def _target(self, path: str, query: Mapping[str, str] | None) -> str:
        below = path
        if "{account}" in path:
            below = path.replace("{account}", segment(self.account))
        base = urlsplit(self._address.url).path
        return base + below + (f"?{urlencode(query)}" if query else "")

    def _asked(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        body: Body,
        headers: Mapping[str, str],
    ) -> Reply:
        try:
            connection.connect()
            connection.sock.settimeout(ANSWER_TIMEOUT_S)
            connection.request(method, target, body, dict(headers))
            reply = Reply(connection.getresponse())
        except ssl.SSLCertVerificationError as error:
            raise UsageError(
                f"the certificate of {self._address.url} is not trusted "
                f"({error.verify_message}). Set SSL_CERT_FILE to a file with it, or "
                "with the one that signed it."
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise UsageError(
                f"no node answers at {self._address.url} ({error}). "
                "Is it still running?"
            ) from error
        if reply.status >= 400:
            _envelope(reply)
        return reply


def segment(text: str) -> str:
    """Return `text` as one segment of a path: its slashes are encoded too."""
    return quote(text, safe="")


def _connection(address: Address) -> http.client.HTTPConnection:
    parts = urlsplit(address.url)
    kind = (
        http.client.HTTPSConnection
        if parts.scheme == "https"
        else http.client.HTTPConnection
    )
    return kind(parts.hostname or "", parts.port, timeout=CONNECT_TIMEOUT_S)


def _envelope(reply: Reply) -> Mapping[str, Any]:
    """Return a successful envelope.

    Raises:
        ApiError: it tells of an error, or is none.
    """
    raw = reply.read()
    try:
        envelope = json_text.loads(raw)
        if envelope["success"] is True:
            return {"result": None, **envelope}
        error = envelope["errors"][0]
        number, message = int(error["code"]), str(error["message"])
    except (ValueError, LookupError, TypeError) as error:
        raise ApiError(
            f"the node answered {reply.status} with something else than an envelope.",
            status=reply.status,
            number=0,
        ) from error
    raise ApiError(message, status=reply.status, number=number)
