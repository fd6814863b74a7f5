"""The account, its user and their token: what clients ask before anything else."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from selfedge.api.paging import numbered
from selfedge.binding import Call, Page, Route

_NAME = "selfedge"
_EMAIL = "selfedge@localhost"
_ROLES = ("Super Administrator - All Privileges",)


class Accounts:
    """One account with one user and one token; none of them is secret."""

    def __init__(self, account: str, started_s: float) -> None:
        self._account = account
        self._since = datetime.fromtimestamp(started_s, UTC).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        )

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
        return numbered([self._shown()], call.query)

    async def _one(self, call: Call) -> Mapping[str, object]:
        del call
        return self._shown()

    async def _memberships(self, call: Call) -> Page:
        membership = {
            "id": self._id("membership"),
            "status": "accepted",
            "account": self._shown(),
            "roles": _ROLES,
            "permissions": {},
        }
        return numbered([membership], call.query)

    async def _user(self, call: Call) -> Mapping[str, object]:
        del call
        return {
            "id": self._id("user"),
            "email": _EMAIL,
            "first_name": None,
            "last_name": None,
            "suspended": False,
            "two_factor_authentication_enabled": False,
        }

    async def _token(self, call: Call) -> Mapping[str, object]:
        del call
        return {"id": self._id("token"), "status": "active"}

    def _shown(self) -> Mapping[str, object]:
        return {
            "id": self._account,
            "name": _NAME,
            "type": "standard",
            "settings": {"enforce_twofactor": False},
            "created_on": self._since,
        }

    def _id(self, what: str) -> str:
        return uuid.uuid5(uuid.NAMESPACE_URL, f"{what}:{self._account}").hex
