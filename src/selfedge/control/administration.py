"""Accounts and tokens of a node of `serve`, for who may administer them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from selfedge.api.body import read_as
from selfedge.api.paging import numbered
from selfedge.binding import Call, Page, Route
from selfedge.catalog import tokens
from selfedge.catalog.accounts import changed, new_account, opened
from selfedge.catalog.model import ADMIN, DEPLOY, Token
from selfedge.catalog.store import Catalog
from selfedge.catalog.times import iso
from selfedge.control.accounts import shown
from selfedge.control.fleet import Fleet
from selfedge.control.guard import not_yours
from selfedge.types import Clock

_TOKENS = "/user/tokens"


class _NewToken(msgspec.Struct):
    name: str
    scope: str = DEPLOY
    account: str | None = None


class _NewAccount(msgspec.Struct):
    name: str
    subdomain: str | None = None


class _Change(msgspec.Struct):
    name: str | None = None
    subdomain: str | None = None
    private_outbound: bool | None = None


@dataclass(frozen=True, slots=True)
class Administration:
    """Makes accounts and tokens; a token's text is shown once, when it is made."""

    catalog: Catalog
    fleet: Fleet
    clock: Clock
    random: tokens.Random

    def routes(self) -> Sequence[Route]:
        """Return its routes, all for admin tokens only."""
        return [
            Route(method=method, path=path, answer=answer, needs=ADMIN)
            for method, path, answer in (
                ("POST", "/accounts", self._open),
                ("PUT", "/accounts/{account}", self._change),
                ("PATCH", "/accounts/{account}", self._change),
                ("GET", _TOKENS, self._list),
                ("POST", _TOKENS, self._issue),
                ("GET", f"{_TOKENS}/{{token}}", self._get),
                ("DELETE", f"{_TOKENS}/{{token}}", self._revoke),
            )
        ]

    async def _open(self, call: Call) -> Mapping[str, object]:
        if call.caller.account is not None:
            raise not_yours(call.caller.account)
        asked = await read_as(call, _NewAccount)
        account = new_account(
            asked.name, asked.subdomain, now=iso(self.clock()), random=self.random
        )
        await self.catalog.change(lambda state: opened(state, account))
        return shown(account)

    async def _change(self, call: Call) -> Mapping[str, object]:
        asked = await read_as(call, _Change)
        if asked.private_outbound is not None and call.caller.account is not None:
            raise not_yours(call.caller.account)  # whom the node trusts, it says
        before = self.catalog.state.accounts[call.account]
        given = msgspec.structs.asdict(asked)
        state = await self.catalog.change(
            lambda state: changed(state, call.account, **given)
        )
        account = state.accounts[call.account]
        if account.private_outbound != before.private_outbound:
            for script in account.scripts:
                await self.fleet.apply(account.id, script)
        await self.fleet.route()
        return shown(account)

    async def _list(self, call: Call) -> Page:
        found = [_described(one) for one in self._visible(call).values()]
        return numbered(found, call.query)

    async def _get(self, call: Call) -> Mapping[str, object]:
        return _described(self._visible_one(call))

    async def _issue(self, call: Call) -> Mapping[str, object]:
        asked = await read_as(call, _NewToken)
        account = asked.account or call.caller.account
        if call.caller.account not in {None, account}:
            raise not_yours(call.caller.account or "")
        token, text = tokens.new_token(
            asked.name, asked.scope, account, now=iso(self.clock()), random=self.random
        )
        await self.catalog.change(lambda state: tokens.issued(state, token))
        return {**_described(token), "value": text}

    async def _revoke(self, call: Call) -> Mapping[str, object]:
        token = self._visible_one(call)
        await self.catalog.change(lambda state: tokens.revoked(state, token.id))
        return {"id": token.id}

    def _visible(self, call: Call) -> Mapping[str, Token]:
        """Return the tokens that a caller may see: of its account, if it has one."""
        only, found = call.caller.account, self.catalog.state.tokens
        return {id_: one for id_, one in found.items() if only in {None, one.account}}

    def _visible_one(self, call: Call) -> Token:
        token_id = call.path["token"]
        found = self._visible(call).get(token_id)
        if found is None:
            raise tokens.absent(token_id)
        return found


def _described(token: Token) -> Mapping[str, object]:
    return {
        "id": token.id,
        "name": token.name,
        "status": "active",
        "scope": token.scope,
        "account": token.account,
        "issued_on": token.created_on,
    }
