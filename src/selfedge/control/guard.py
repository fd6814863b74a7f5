"""Who may call: programs that know a token, and no web page."""

from collections.abc import Mapping

from selfedge.api.codes import BAD_CREDENTIALS, FORBIDDEN, NO_CREDENTIALS
from selfedge.binding import Caller, Route
from selfedge.control.who import Who, needed, suffices
from selfedge.errors import ApiError

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_SAME_SITE = frozenset({"same-origin", "none"})


def check_site(headers: Mapping[str, str], *, any_host: bool = False) -> None:
    """Refuse what a web page sends, and names that only pretend to be this machine.

    A name of the page's own that resolves to a loopback address (DNS rebinding)
    shows in `Host`; another page's call shows in `Origin` or `Sec-Fetch-Site`.
    `any_host` is for a listener that is not on loopback: its names are the
    operator's.

    Raises:
        ApiError: the call is refused (403).
    """
    host = headers.get("Host", "").lower()
    if not any_host and _name(host) not in _LOOPBACK_NAMES:
        raise _refused(
            f"Host {host[:80]!r} is not a name of this machine. "
            "Use 127.0.0.1 or localhost."
        )
    origin = headers.get("Origin")
    if origin is not None and origin.lower() not in _origins(host, any_host=any_host):
        raise _refused("A web page may not call this API: Origin is another site.")
    site = headers.get("Sec-Fetch-Site")
    if site is not None and site.strip().lower() not in _SAME_SITE:
        raise _refused("A web page may not call this API: Sec-Fetch-Site.")


def bearer(headers: Mapping[str, str]) -> str:
    """Return the token that a call shows; "" for another scheme.

    Raises:
        ApiError: there is none (401).
    """
    given = headers.get("Authorization")
    if given is None:
        raise ApiError(
            "Missing the Authorization header: Bearer CLOUDFLARE_API_TOKEN.",
            status=401,
            number=NO_CREDENTIALS,
        )
    scheme, _, secret = given.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def known(who: Who, token: str) -> Caller:
    """Return whose token it is.

    Raises:
        ApiError: nobody's (401).
    """
    caller = who.caller(token)
    if caller is None:
        raise unknown_token()
    return caller


def unknown_token() -> ApiError:
    """Return what is said of a token that is nobody's."""
    return ApiError(
        "Authentication error: this token is not one of the node's, or it was revoked.",
        status=401,
        number=BAD_CREDENTIALS,
    )


def check_scope(caller: Caller, route: Route) -> None:
    """Let a caller do no more than the token's scope.

    Raises:
        ApiError: it is not enough (403).
    """
    wanted = needed(route)
    if not suffices(caller.scope, wanted):
        raise ApiError(
            f"Authentication error: {route.method} {route.path} needs a token of scope "
            f"{wanted}; {caller.name} has {caller.scope}.",
            status=403,
            number=BAD_CREDENTIALS,
        )


def not_yours(account: str) -> ApiError:
    """Return what a token of one account hears of all others, there or not."""
    return ApiError(
        f"Authentication error: the token is of account {account} alone.",
        status=403,
        number=BAD_CREDENTIALS,
    )


def _origins(host: str, *, any_host: bool) -> set[str]:
    http = f"http://{host}"
    return {http, f"https://{host}"} if any_host else {http}


def _name(host: str) -> str:
    """Return the name of a `Host` header without its port."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _refused(message: str) -> ApiError:
    return ApiError(message, status=403, number=FORBIDDEN)
