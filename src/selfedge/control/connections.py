"""The API's connections: HTTP in, and nobody who keeps one for nothing."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from socket import socket
from typing import Any

from aiohttp import web

from selfedge.api.codes import BAD_HEADERS, INTERNAL
from selfedge.control.answers import SECURITY, envelope_response
from selfedge.control.envelope import failure

BODY_MAX_BYTES = 100 * 1024 * 1024  # Cloudflare's; routes may take less
LINE_MAX_BYTES = 16 * 1024
FIELD_MAX_BYTES = 32 * 1024
KEEP_ALIVE_S = 75.0
LINGER_S = 2.0  # a body that nobody read is taken in, so that its answer arrives
BACKLOG = 128
CONNECTIONS_MAX = 1000
BODY_LEAST_BYTES = 1024  # that a body must bring between two looks at it
_OPTIONS: Mapping[str, Any] = {
    "access_log": None,
    "keepalive_timeout": KEEP_ALIVE_S,
    "lingering_time": LINGER_S,
    "max_line_size": LINE_MAX_BYTES,
    "max_field_size": FIELD_MAX_BYTES,
    "auto_decompress": False,  # a small body must not become a large one
}
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long one may take, in seconds."""

    first_request_s: float = 20.0  # from connecting to the end of the first head
    body_look_s: float = 20.0  # between two looks at a body that is not whole


_USUAL = Patience()


@asynccontextmanager
async def answering(
    handler: Any,
    lent: socket,
    tls: ssl.SSLContext | None = None,
    patience: Patience = _USUAL,
) -> AsyncIterator[None]:
    """Answer on a listening socket while the context is open; closes it."""
    server = _Server(handler, patience)
    runner = web.ServerRunner(server, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.SockSite(runner, lent, ssl_context=tls, backlog=BACKLOG).start()
        yield
    finally:
        await runner.cleanup()


class _Connection(web.RequestHandler):
    """Answers with an envelope even what is no HTTP, and ends those that dawdle."""

    def __init__(self, manager: "_Server", **options: Any) -> None:
        super().__init__(manager, **options)
        self._server = manager
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        if len(self._server.connections) > CONNECTIONS_MAX:
            transport.abort()  # type: ignore[attr-defined]
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._server.patience.first_request_s, self._end)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop watching."""
        self._still()
        super().connection_lost(exc)

    def begun(self, payload: Any) -> None:
        """A request's head is here; watch its body, if that is not here yet."""
        self._still()
        if not payload.is_eof():
            self._watch(payload, payload.total_bytes)

    def _watch(self, payload: Any, before: int) -> None:
        def look() -> None:
            now = payload.total_bytes
            if payload.is_eof():
                return
            if now - before < BODY_LEAST_BYTES and not self._reading_paused:
                self._end()
            else:
                self._watch(payload, now)

        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._server.patience.body_look_s, look)

    def _still(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Say that the request cannot be read, and close the connection."""
        del message
        if request.writer.output_size:
            raise ConnectionResetError("the answer broke off") from exc
        if isinstance(exc, ConnectionError):
            raise ConnectionResetError("the client went away") from exc
        if status < 500:
            text = "The request is not well-formed HTTP, or a header is too long."
            response = envelope_response(status, failure(BAD_HEADERS, text))
        else:
            _LOG.error("a connection of the API failed", exc_info=exc)
            text = "Internal error: the node's log says what failed."
            response = envelope_response(status, failure(INTERNAL, text))
        response.force_close()
        return response


class _Server(web.Server):
    """Makes such connections, and requests that know the body limit."""

    def __init__(self, handler: Any, patience: Patience) -> None:
        super().__init__(handler, request_factory=_request)
        self.patience = patience

    def __call__(self) -> _Connection:
        return _Connection(self, loop=asyncio.get_running_loop(), **_OPTIONS)


class _Request(web.BaseRequest):
    """A request whose answer gets the headers that all have."""

    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        for name, value in SECURITY.items():
            response.headers.setdefault(name, value)


def _request(
    message: Any, payload: Any, protocol: Any, writer: Any, task: Any
) -> web.BaseRequest:
    protocol.begun(payload)
    return _Request(
        message,
        payload,
        protocol,
        writer,
        task,
        asyncio.get_running_loop(),
        client_max_size=BODY_MAX_BYTES,
    )
