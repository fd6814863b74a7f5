"""HTTP in, envelope out: the API on one listening socket."""

import logging
import ssl
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from socket import socket
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.http import HttpProcessingError

from selfedge.api.codes import (
    BAD_BODY,
    BAD_METHOD,
    BODY_TOO_LARGE,
    INTERNAL,
    NO_ROUTE,
)
from selfedge.binding import Call, Caller
from selfedge.control.answers import envelope_response
from selfedge.control.audit import AuditLog
from selfedge.control.connections import BODY_MAX_BYTES, Patience, answering
from selfedge.control.envelope import failure, success
from selfedge.control.estate import SHOWN_CHARS, Estate, no_route, reached
from selfedge.control.guard import bearer, check_scope, check_site, known
from selfedge.control.rate import Rates, TooManyRequests
from selfedge.control.routing import Target, split
from selfedge.control.sessions import Sessions
from selfedge.control.table import Tables
from selfedge.control.who import NOBODY, OPEN, Who, needed
from selfedge.errors import ApiError, StorageError

BASE_PATH = "/client/v4"
QUERY_MAX_FIELDS = 100
_READ = "read"
_GONE = 499  # of a call whose client went away before its answer
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How one server treats its callers."""

    any_host: bool = False  # its listener is not on loopback
    rates: Rates | None = None  # None: as often as they like
    audit: AuditLog | None = None


_LENIENT = Rules()
_USUAL = Patience()


@dataclass(slots=True)
class _Visit:
    """What became known of a call while it was answered."""

    caller: Caller | None = None
    account: str = ""
    changes: bool = True  # until its route says that it only reads


class Control:
    """Answers calls of the API, each with an envelope unless its route says else."""

    def __init__(
        self,
        who: Who,
        estate: Estate,
        tables: Tables,
        rules: Rules = _LENIENT,
        sessions: Sessions | None = None,
    ) -> None:
        self._who = who
        self._sessions = sessions
        self._estate = estate
        self._tables = tables
        self._rules = rules

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; only a client that went away makes it raise."""
        visit = _Visit()
        status = _GONE
        try:
            response = await self._response(request, visit)
            status = response.status
        finally:
            self._note(request, visit, status)
        return response

    async def _response(
        self, request: web.BaseRequest, visit: _Visit
    ) -> web.StreamResponse:
        try:
            result = await self._result(request, visit)
            if isinstance(result, web.StreamResponse):
                return result
            return envelope_response(200, success(result))
        except Exception as error:  # noqa: BLE001 - each becomes an answer, or a log line
            return _failed(request, error)

    async def _result(self, request: web.BaseRequest, visit: _Visit) -> object:
        check_site(request.headers, any_host=self._rules.any_host)
        visit.caller = self._caller(request)
        below, segments, query = _parts(request)
        visit.account = reached(self._estate, visit.caller, segments)
        target = await self._target(request.method, below, visit.account)
        visit.changes = needed(target.route) != _READ
        check_scope(visit.caller, target.route)
        _check_length(request, target.route.most_bytes or BODY_MAX_BYTES)
        await _continue(request)
        call = Call(
            account=visit.account,
            caller=visit.caller,
            path=target.parameters,
            query=query,
            request=request,
        )
        try:
            return await target.route.answer(call)
        except ApiError as error:
            if error.status == 401 and visit.caller is NOBODY:
                self._refused(request)
            raise

    def _caller(self, request: web.BaseRequest) -> Caller:
        """Return who calls.

        Raises:
            ApiError: without a token or a session (401), with half a session (403),
                or too often (429).
        """
        if self._is_open(request):
            return NOBODY
        rates = self._rules.rates
        token = (
            self._sessions.token(request) if self._sessions else bearer(request.headers)
        )
        try:
            caller = known(self._who, token)
        except ApiError:
            self._refused(request)
            raise
        if rates is not None:
            rates.called(caller.id)
        return caller

    def _refused(self, request: web.BaseRequest) -> None:
        """Count a wrong token of a peer."""
        if self._rules.rates is not None:
            self._rules.rates.failed(request.remote or "?")

    def _is_open(self, request: web.BaseRequest) -> bool:
        """Return whether the route itself checks who asks."""
        path = request.raw_path.partition("#")[0].partition("?")[0]
        path = path.removeprefix(BASE_PATH)
        try:
            account = self._estate.owner(split(path)) or ""
            target = self._tables.known(account, path).get(request.method)
        except ValueError:
            return False
        return target is not None and needed(target.route) == OPEN

    async def _target(self, method: str, below: str, account: str) -> Target:
        try:
            targets = self._tables.built_in(below)
            if not targets and account:
                targets = await self._tables.of_bindings(account, below)
        except ValueError as error:
            raise _bad_url(error) from error
        if not targets:
            raise no_route(BASE_PATH + below)
        if method not in targets:
            raise ApiError(
                f"Method {method[:SHOWN_CHARS]} not available for that URI, "
                f"only {', '.join(sorted(targets))}.",
                status=405,
                number=BAD_METHOD,
            )
        return targets[method]

    def _note(self, request: web.BaseRequest, visit: _Visit, status: int) -> None:
        """Write down a call that may have changed something, or tried to."""
        if self._rules.audit is None or visit.caller is None or not visit.changes:
            return
        if request.method in {"GET", "HEAD"}:
            return
        entry: Mapping[str, object] = {
            "token_id": visit.caller.id,
            "token_name": visit.caller.name,
            "account": visit.account,
            "method": request.method,
            "path": request.raw_path.partition("?")[0],
            "status": status,
            "peer": request.remote,
        }
        self._rules.audit.write(entry)


def serving(
    control: Control,
    lent: socket,
    tls: ssl.SSLContext | None = None,
    patience: Patience = _USUAL,
) -> AbstractAsyncContextManager[None]:
    """Answer on a listening socket while the context is open; closes it."""
    return answering(control.answer, lent, tls, patience)


def _parts(
    request: web.BaseRequest,
) -> tuple[str, Sequence[str], Mapping[str, str]]:
    """Return the raw path below the base, its decoded segments, and the query."""
    path, _, query = request.raw_path.partition("#")[0].partition("?")
    below = path.removeprefix(BASE_PATH)
    if below == path or not below.startswith("/"):
        raise no_route(path)
    try:
        request.raw_path.encode()  # bytes that are no UTF-8 came as surrogates
        pairs = parse_qsl(
            query,
            keep_blank_values=True,
            max_num_fields=QUERY_MAX_FIELDS,
            errors="strict",
        )
        return below, split(below), dict(pairs)
    except ValueError as error:
        raise _bad_url(error) from error


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
        return _refusal(error)
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return _refusal(_too_large(BODY_MAX_BYTES))
    if isinstance(error, web.RequestPayloadError | HttpProcessingError):
        text = "The request body is broken: it does not end as its headers say."
        return envelope_response(400, failure(BAD_BODY, text))
    _LOG.error("%s failed", _shown(request), exc_info=error)
    text = "Internal error: the node's log says what failed."
    if isinstance(error, StorageError):  # a full disk: the caller should know
        text = str(error)
    return envelope_response(500, failure(INTERNAL, text))


def _refusal(error: ApiError) -> web.Response:
    headers = {}
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.retry_after_s)
    return envelope_response(error.status, failure(error.number, str(error)), headers)


def _bad_url(error: ValueError) -> ApiError:
    return ApiError(f"The URL is wrong: {error}.", status=400, number=NO_ROUTE)


def _check_length(request: web.BaseRequest, most_bytes: int) -> None:
    if (request.content_length or 0) > most_bytes:
        raise _too_large(most_bytes)


def _too_large(most_bytes: int) -> ApiError:
    return ApiError(
        f"The request body is over {most_bytes} bytes.",
        status=413,
        number=BODY_TOO_LARGE,
    )


def _shown(request: web.BaseRequest) -> str:
    """Return what a log may tell of a request: no query, which may hold secrets."""
    path = request.raw_path.partition("?")[0]
    return f"{request.method[:SHOWN_CHARS]} {path[:SHOWN_CHARS]!r}"
