"""Sessions of the dashboard: a cookie and a second secret stand for a token."""

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

import msgspec
from aiohttp import web

from selfedge.api.body import read_as
from selfedge.api.codes import BAD_CREDENTIALS, FORBIDDEN
from selfedge.binding import Call, Caller, Route
from selfedge.catalog.model import READ
from selfedge.control.answers import envelope_response
from selfedge.control.envelope import success
from selfedge.control.guard import bearer, known
from selfedge.control.who import OPEN, Who
from selfedge.errors import ApiError
from selfedge.types import Clock

PATH = "/node/session"
CSRF_HEADER = "X-Selfedge-CSRF"
SESSION_S = 12 * 3600
SESSIONS_MAX = 100  # the oldest ends first
_SECRET_BYTES = 32
_COOKIE = "selfedge_session_"


class _SignIn(msgspec.Struct):
    token: str


@dataclass(frozen=True, slots=True)
class _Session:
    token: str
    csrf: str
    expires_s: float


class Sessions:
    """Who is signed in; all sessions end with the process.

    A stolen cookie opens nothing: cookies reach every port of a host, so each call
    also shows a secret that only pages of the same origin can read. The token is
    looked up at each call, so that its end is the session's end.
    """

    def __init__(self, who: Who, clock: Clock) -> None:
        self._who = who
        self._clock = clock
        self._open: dict[str, _Session] = {}

    def routes(self) -> Sequence[Route]:
        """Return the routes to sign in, to ask who one is, and to sign out."""
        return [
            Route(method="POST", path=PATH, answer=self._sign_in, needs=OPEN),
            Route(method="GET", path=PATH, answer=self._show),
            Route(method="DELETE", path=PATH, answer=self._sign_out, needs=READ),
        ]

    def token(self, request: web.BaseRequest) -> str:
        """Return the token that a call shows, itself or by its session.

        Raises:
            ApiError: there is none, or the session has ended (401), or the call lacks
                the session's other secret (403).
        """
        session_id = _cookie(request)
        if "Authorization" in request.headers or not session_id:
            return bearer(request.headers)
        session = self._open.get(session_id)
        if session is None or session.expires_s <= self._clock():
            self._open.pop(session_id, None)
            raise _ended()
        shown = request.headers.get(CSRF_HEADER, "").encode(errors="replace")
        if not hmac.compare_digest(shown, session.csrf.encode()):
            raise ApiError(
                f"The header {CSRF_HEADER} is missing or wrong: a cookie alone opens "
                "nothing. Programs show a token.",
                status=403,
                number=FORBIDDEN,
            )
        return session.token

    async def _sign_in(self, call: Call) -> web.Response:
        try:
            given = await read_as(call, _SignIn)
        except ApiError as error:
            raise ApiError(
                'Sign in with a JSON body: {"token": …}.',
                status=401,
                number=BAD_CREDENTIALS,
            ) from error
        caller = known(self._who, given.token)
        session_id = secrets.token_urlsafe(_SECRET_BYTES)
        session = _Session(
            token=given.token,
            csrf=secrets.token_urlsafe(_SECRET_BYTES),
            expires_s=self._clock() + SESSION_S,
        )
        if len(self._open) >= SESSIONS_MAX:
            del self._open[next(iter(self._open))]
        self._open[session_id] = session
        return _answer(
            call.request, {**_shown(caller), "csrf": session.csrf}, session_id
        )

    async def _show(self, call: Call) -> Mapping[str, object]:
        return _shown(call.caller)

    async def _sign_out(self, call: Call) -> web.Response:
        self._open.pop(_cookie(call.request), None)
        return _answer(call.request, None, "", age_s=0)


def _answer(
    request: web.BaseRequest, result: object, session_id: str, age_s: int = SESSION_S
) -> web.Response:
    secure = "; Secure" if request.secure else ""
    cookie = f"{_name(request)}={session_id}; Path=/; Max-Age={age_s}"
    headers = {"Set-Cookie": f"{cookie}; HttpOnly; SameSite=Strict{secure}"}
    return envelope_response(200, success(result), headers)


def _name(request: web.BaseRequest) -> str:
    """Return the cookie's name: nodes on other ports of a host have others."""
    transport = request.transport
    address = transport.get_extra_info("sockname") if transport else None
    return f"{_COOKIE}{address[1] if address else 0}"


def _cookie(request: web.BaseRequest) -> str:
    try:
        cookies = SimpleCookie(request.headers.get("Cookie", ""))
    except CookieError:
        return ""
    found = cookies.get(_name(request))
    return found.value if found else ""


def _shown(caller: Caller) -> Mapping[str, object]:
    return {"name": caller.name, "scope": caller.scope, "account": caller.account}


def _ended() -> ApiError:
    return ApiError(
        "The session has ended. Sign in again.", status=401, number=BAD_CREDENTIALS
    )
