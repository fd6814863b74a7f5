"""HTTP in, envelope out: the API on one listening socket."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.http import HttpProcessingError

from selfedge.api.codes import (
    BAD_BODY,
    BAD_HEADERS,
    BAD_METHOD,
    BODY_TOO_LARGE,
    INTERNAL,
    NO_ROUTE,
)
from selfedge.binding import Call
from selfedge.control.envelope import failure, success
from selfedge.control.guard import check_site, check_token
from selfedge.control.routing import Target
from selfedge.control.table import Table
from selfedge.errors import ApiError

BASE_PATH = "/client/v4"
BODY_MAX_BYTES = 100 * 1024 * 1024  # Cloudflare's; routes may take less
LINE_MAX_BYTES = 16 * 1024
FIELD_MAX_BYTES = 32 * 1024
QUERY_MAX_FIELDS = 100
KEEP_ALIVE_S = 75.0
LINGER_S = 2.0  # a body that nobody read is taken in, so that its answer arrives
BACKLOG = 128
_SHOWN_CHARS = 200
_OPTIONS: Mapping[str, Any] = {
    "access_log": None,
    "keepalive_timeout": KEEP_ALIVE_S,
    "lingering_time": LINGER_S,
    "max_line_size": LINE_MAX_BYTES,
    "max_field_size": FIELD_MAX_BYTES,
    "auto_decompress": False,  # a small body must not become a large one
}
_LOG = logging.getLogger(__name__)


class Control:
    """Answers calls of the API, each with an envelope unless its route says else."""

    def __init__(self, account: str, token: str, table: Table) -> None:
        self._account = account
        self._token = token
        self._table = table

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; only a client that went away makes it raise."""
        try:
            check_site(request.headers)
            check_token(request.headers, self._token)
            _check_length(request)
            target, query = await self._target(request)
            await _continue(request)
            call = Call(
                account=self._account,
                path=target.parameters,
                query=query,
                request=request,
            )
            result = await target.route.answer(call)
            if isinstance(result, web.StreamResponse):
                return result
            return _response(200, success(result))
        except Exception as error:  # noqa: BLE001 - each becomes an answer, or a log line
            return _failed(request, error)

    async def _target(
        self, request: web.BaseRequest
    ) -> tuple[Target, Mapping[str, str]]:
        path, _, query = request.raw_path.partition("#")[0].partition("?")
        below = path.removeprefix(BASE_PATH)
        if below == path or not below.startswith("/"):
            raise _no_route(path)
        try:
            request.raw_path.encode()  # bytes that are no UTF-8 came as surrogates
            targets = await self._table.find(below)
            pairs = parse_qsl(
                query,
                keep_blank_values=True,
                max_num_fields=QUERY_MAX_FIELDS,
                errors="strict",
            )
        except ValueError as error:
            raise ApiError(
                f"The URL is wrong: {error}.", status=400, number=NO_ROUTE
            ) from error
        if not targets:
            raise _no_route(path)
        if request.method not in targets:
            raise ApiError(
                f"Method {request.method[:_SHOWN_CHARS]} not available for that URI, "
                f"only {', '.join(sorted(targets))}.",
                status=405,
                number=BAD_METHOD,
            )
        return targets[request.method], dict(pairs)


@asynccontextmanager
async def serving(control: Control, lent: socket.socket) -> AsyncIterator[None]:
    """Answer on a listening socket while the context is open; closes it."""
    runner = web.ServerRunner(_Server(control.answer), shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.SockSite(runner, lent, backlog=BACKLOG).start()
        yield
    finally:
        await runner.cleanup()


async def _continue(request: web.BaseRequest) -> None:
    """Tell a client that waits before it sends a large body to send it."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun


def _failed(request: web.BaseRequest, error: Exception) -> web.StreamResponse:
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the client went away") from error
    if request.writer.output_size:
        _LOG.error("%s broke off", _shown(request), exc_info=error)
        transport.abort()
        raise ConnectionResetError("the answer broke off") from error
    if isinstance(error, ApiError):
        return _response(error.status, failure(error.number, str(error)))
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return _failed(request, _too_large())
    if isinstance(error, web.RequestPayloadError | HttpProcessingError):
        text = "The request body is broken: it does not end as its headers say."
        return _response(400, failure(BAD_BODY, text))
    _LOG.error("%s failed", _shown(request), exc_info=error)
    return _response(
        500, failure(INTERNAL, "Internal error: the node's log says what failed.")
    )


def _response(status: int, envelope: bytes) -> web.Response:
    return web.Response(
        status=status,
        body=envelope,
        content_type="application/json",
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )


def _no_route(path: str) -> ApiError:
    return ApiError(
        f"Could not route to {path[:_SHOWN_CHARS]}, "
        "perhaps your object identifier is invalid?",
        status=404,
        number=NO_ROUTE,
    )


def _check_length(request: web.BaseRequest) -> None:
    if (request.content_length or 0) > BODY_MAX_BYTES:
        raise _too_large()


def _too_large() -> ApiError:
    return ApiError(
        f"The request body is over {BODY_MAX_BYTES} bytes.",
        status=413,
        number=BODY_TOO_LARGE,
    )


def _shown(request: web.BaseRequest) -> str:
    """Return what a log may tell of a request: no query, which may hold secrets."""
    path = request.raw_path.partition("?")[0]
    return f"{request.method[:_SHOWN_CHARS]} {path[:_SHOWN_CHARS]!r}"


class _Connection(web.RequestHandler):
    """Answers with an envelope even what is no HTTP."""

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
            response = _response(status, failure(BAD_HEADERS, text))
        else:
            _LOG.error("a connection of the API failed", exc_info=exc)
            text = "Internal error: the node's log says what failed."
            response = _response(status, failure(INTERNAL, text))
        response.force_close()
        return response


class _Server(web.Server):
    """Makes such connections, and requests that know the body limit."""

    def __init__(self, handler: Any) -> None:
        super().__init__(handler, request_factory=_request)

    def __call__(self) -> _Connection:
        return _Connection(self, loop=asyncio.get_running_loop(), **_OPTIONS)


def _request(
    message: Any, payload: Any, protocol: Any, writer: Any, task: Any
) -> web.BaseRequest:
    return web.BaseRequest(
        message,
        payload,
        protocol,
        writer,
        task,
        asyncio.get_running_loop(),
        client_max_size=BODY_MAX_BYTES,
    )
