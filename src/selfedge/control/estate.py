"""Whose a path is: the account that it names, itself or by a zone."""

from collections.abc import Callable, Sequence
from typing import Protocol

from selfedge.api.codes import NO_ROUTE
from selfedge.binding import Caller
from selfedge.catalog.model import State
from selfedge.control.guard import not_yours, unknown_token
from selfedge.control.who import NOBODY
from selfedge.errors import ApiError

SHOWN_CHARS = 200


class Estate(Protocol):
    """Knows what belongs to which account."""

    def owner(self, segments: Sequence[str]) -> str | None:
        """Return the account of a path; "" if it names none, None if it is unknown."""


class OneAccount:
    """A node of `dev`: whatever account a path names, it is this one."""

    def __init__(self, account: str) -> None:
        self._account = account

    def owner(self, segments: Sequence[str]) -> str | None:
        """Return the one account."""
        del segments
        return self._account


class CatalogEstate:
    """The accounts and zones of the catalog."""

    def __init__(self, state: Callable[[], State]) -> None:
        self._state = state

    def owner(self, segments: Sequence[str]) -> str | None:
        """Return the account of a path; "" if it names none, None if it is unknown."""
        kind, name = (*segments, "", "")[:2]
        if not name or kind not in {"accounts", "zones"}:
            return ""
        accounts = self._state().accounts
        if kind == "accounts":
            return name if name in accounts else None
        owners = (one.id for one in accounts.values() if name in one.zones)
        return next(owners, None)


def reached(estate: Estate, caller: Caller, segments: Sequence[str]) -> str:
    """Return the account that a call is for, "" if for none.

    Raises:
        ApiError: there is no such account or zone (404), or it is not the caller's
            (403); who has one account does not learn which of the two.
    """
    owner = estate.owner(segments)
    if caller.account is not None and owner not in {"", caller.account}:
        raise not_yours(caller.account)
    if owner is None and caller is NOBODY:  # who shows no token learns nothing
        raise unknown_token()
    if owner is None:
        raise no_route("/" + "/".join(segments))
    return owner


def no_route(path: str) -> ApiError:
    """Return what is said of a path that there is not."""
    return ApiError(
        f"Could not route to {path[:SHOWN_CHARS]}, "
        "perhaps your object identifier is invalid?",
        status=404,
        number=NO_ROUTE,
    )
