"""Who may call: programs of this machine that know the token, and no web page."""

import hmac
from collections.abc import Mapping

from selfedge.api.codes import BAD_CREDENTIALS, FORBIDDEN, NO_CREDENTIALS
from selfedge.errors import ApiError

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_SAME_SITE = frozenset({"same-origin", "none"})


def check_site(headers: Mapping[str, str]) -> None:
    """Refuse what a web page sends, and names that only pretend to be this machine.

    A name of the page's own that resolves to a loopback address (DNS rebinding)
    shows in `Host`; another page's call shows in `Origin` or `Sec-Fetch-Site`.

    Raises:
        ApiError: the call is refused (403).
    """
    host = headers.get("Host", "")
    if _name(host) not in _LOOPBACK_NAMES:
        raise _refused(
            f"Host {host[:80]!r} is not a name of this machine. "
            "Use 127.0.0.1 or localhost."
        )
    origin = headers.get("Origin")
    if origin is not None and origin.lower() != f"http://{host.lower()}":
        raise _refused("A web page may not call this API: Origin is another site.")
    site = headers.get("Sec-Fetch-Site")
    if site is not None and site.strip().lower() not in _SAME_SITE:
        raise _refused("A web page may not call this API: Sec-Fetch-Site.")


def check_token(headers: Mapping[str, str], token: str) -> None:
    """Let nobody in without the token, and tell nothing of it by the time it takes.

    Raises:
        ApiError: the token is missing or wrong (401).
    """
    given = headers.get("Authorization")
    if given is None:
        raise ApiError(
            "Missing the Authorization header: Bearer CLOUDFLARE_API_TOKEN.",
            status=401,
            number=NO_CREDENTIALS,
        )
    scheme, _, secret = given.partition(" ")
    same = hmac.compare_digest(
        secret.strip().encode("utf-8", "surrogateescape"), token.encode()
    )
    if scheme.lower() != "bearer" or not same:
        raise ApiError(
            "Authentication error: the token is not the one that selfedge printed.",
            status=401,
            number=BAD_CREDENTIALS,
        )


def _name(host: str) -> str:
    """Return the name of a `Host` header, in lowercase and without its port."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdigit() else host.lower()


def _refused(message: str) -> ApiError:
    return ApiError(message, status=403, number=FORBIDDEN)
