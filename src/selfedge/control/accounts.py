"""Accounts, their user and the token: what clients ask before anything else."""

import uuid
from collections.abc import Callable, Mapping, Sequence

from selfedge.api.paging import numbered
from selfedge.binding import Call, Page, Route
from selfedge.catalog.model import ADMIN, Account, State

_EMAIL = "selfedge@localhost"
_ROLES = {
    ADMIN: "Super Administrator - All Privileges",
    "deploy": "Workers Admin",
    "read": "Administrator Read Only",
}


class Accounts:
    """What a caller may learn of accounts, and of itself."""

    def __init__(self, state: Callable[[], State]) -> None:
        self._state = state

    def routes(self) -> Sequence[Route]:
        """Return the routes of accounts, user, memberships and tokens."""
        return [
            Route(method="GET", path="/accounts", answer=self._accounts),
            Route(method="GET", path="/accounts/{account}", answer=self._one),
            Route(method="GET", path="/memberships", answer=self._memberships),
            Route(method="GET", path="/user", answer=self._user),
            Route(method="GET", path="/user/tokens/verify", answer=self._token),
            Route(
                method="GET",
                path="/accounts/{account}/tokens/verify",
                answer=self._token,
            ),
        ]

    async def _accounts(self, call: Call) -> Page:
        wanted = call.query.get("name")
        found = [
            shown(one) for one in self._visible(call) if wanted in {None, "", one.name}
        ]
        return numbered(found, call.query)

    async def _one(self, call: Call) -> Mapping[str, object]:
        return shown(self._state().accounts[call.account])

    async def _memberships(self, call: Call) -> Page:
        found = [
            {
                "id": _made_id("membership", one.id),
                "status": "accepted",
                "account": shown(one),
                "roles": [_ROLES[call.caller.scope]],
                "permissions": {},
            }
            for one in self._visible(call)
        ]
        return numbered(found, call.query)

    async def _user(self, call: Call) -> Mapping[str, object]:
        return {
            "id": _made_id("user", call.caller.id),
            "email": _EMAIL,
            "first_name": None,
            "last_name": None,
            "suspended": False,
            "two_factor_authentication_enabled": False,
        }

    async def _token(self, call: Call) -> Mapping[str, object]:
        return {"id": call.caller.id, "status": "active"}

    def _visible(self, call: Call) -> Sequence[Account]:
        only = call.caller.account
        accounts = self._state().accounts.values()
        return [one for one in accounts if only in {None, one.id}]


def shown(account: Account) -> Mapping[str, object]:
    """Return an account as clients see it."""
    return {
        "id": account.id,
        "name": account.name,
        "type": "standard",
        "settings": {"enforce_twofactor": False},
        "created_on": account.created_on,
        "private_outbound": account.private_outbound,
    }


def _made_id(what: str, of: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{what}:{of}").hex
