"""Who calls: tokens, and what each may do."""

import hmac
from collections.abc import Callable
from hashlib import sha256
from typing import Protocol

from selfedge.binding import Caller, Route
from selfedge.catalog.model import ADMIN, DEPLOY, READ, State, Token

OPEN = "none"
"""The scope that a route names which checks itself who asks."""

NOBODY = Caller(id="", name="", scope=OPEN)
_RANK = {OPEN: 0, READ: 1, DEPLOY: 2, ADMIN: 3}
_READING = frozenset({"GET", "HEAD"})


class Who(Protocol):
    """Knows the tokens."""

    def caller(self, token: str) -> Caller | None:
        """Return whose token it is, in a time that tells nothing; None: nobody's."""


class OneToken:
    """The token of a run of `dev`: its holder may do all."""

    def __init__(self, token: str, account: str) -> None:
        self._hash = _hashed(token)
        self._caller = Caller(id=_id(self._hash), name=account, scope=ADMIN)

    def caller(self, token: str) -> Caller | None:
        """Return who holds it, or None."""
        same = hmac.compare_digest(_hashed(token), self._hash)
        return self._caller if same else None


class CatalogTokens:
    """The tokens of the catalog, as they are at the moment."""

    def __init__(self, state: Callable[[], State]) -> None:
        self._state = state

    def caller(self, token: str) -> Caller | None:
        """Return who holds it, or None; each token is compared, whichever it is."""
        given, found = _hashed(token), None
        for known in self._state().tokens.values():
            if hmac.compare_digest(given, known.hash):
                found = known
        return _holder(found) if found else None


def needed(route: Route) -> str:
    """Return the least scope that a caller of `route` must have."""
    return route.needs or (READ if route.method in _READING else DEPLOY)


def suffices(scope: str, wanted: str) -> bool:
    """Return whether who has `scope` may do what needs `wanted`."""
    return _RANK[scope] >= _RANK[wanted]


def _holder(token: Token) -> Caller:
    return Caller(
        id=token.id, name=token.name, scope=token.scope, account=token.account
    )


def _hashed(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def _id(digest: str) -> str:
    return sha256(digest.encode()).hexdigest()[:32]
