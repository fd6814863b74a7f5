"""The API of a dev node: on loopback, with a token that lives as long as the run."""

import secrets
import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from selfedge.binding import AnyBinding, Context
from selfedge.catalog.model import Account, State
from selfedge.catalog.times import iso
from selfedge.client.address import Address, published
from selfedge.control import analytics
from selfedge.control.accounts import Accounts
from selfedge.control.connections import answering
from selfedge.control.estate import OneAccount
from selfedge.control.objects import Objects
from selfedge.control.pages import Pages, beside
from selfedge.control.server import BASE_PATH, Control
from selfedge.control.sessions import Sessions
from selfedge.control.table import Room, Running, Tables
from selfedge.control.who import OneToken

TOKEN_BYTES = 20
_NAME = "selfedge"


@asynccontextmanager
async def local_api(
    lent: socket.socket,
    account: str,
    bindings: Sequence[AnyBinding],
    context: Context,
    running: Running,
    state: Path,
    pages: Pages | None = None,
) -> AsyncIterator[Address]:
    """Serve the API and `pages` on a listening socket; note the address in `state`."""
    address = Address(
        url=f"http://127.0.0.1:{lent.getsockname()[1]}{BASE_PATH}",
        token=secrets.token_hex(TOKEN_BYTES),
        account=account,
    )

    async def room(_account: str) -> Room:
        return Room(context, running)

    known = _only(account, iso(context.clock()))
    estate = OneAccount(account)
    who = OneToken(address.token, "dev")
    sessions = Sessions(who, context.clock)
    objects = state / "objects"
    built_in = [
        *Accounts(lambda: known).routes(),
        *sessions.routes(),
        *Objects(lambda owner: _folders(objects / owner), objects).routes(),
    ]
    tables = Tables(built_in, bindings, room)
    tables.add(analytics.routes(estate, tables.of_bindings))
    control = Control(who, estate, tables, sessions=sessions)
    async with answering(beside(pages, control.answer), lent):
        with published(state, address):
            yield address


def _only(account: str, now: str) -> State:
    one = Account(id=account, name=_NAME, subdomain=account, created_on=now)
    return State(accounts={account: one})


def _folders(root: Path) -> Iterable[str]:
    """Return the Workers whose objects have stored something."""
    return [one.name for one in root.iterdir()] if root.is_dir() else []
