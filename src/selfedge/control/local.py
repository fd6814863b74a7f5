"""The API of a dev node: on loopback, with a token that lives as long as the run."""

import secrets
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from selfedge.binding import AnyBinding, Context
from selfedge.client.address import Address, published
from selfedge.control.accounts import Accounts
from selfedge.control.server import BASE_PATH, Control, serving
from selfedge.control.table import Running, Table

TOKEN_BYTES = 20


@asynccontextmanager
async def local_api(
    lent: socket.socket,
    account: str,
    bindings: Sequence[AnyBinding],
    context: Context,
    running: Running,
    state: Path,
) -> AsyncIterator[Address]:
    """Serve the API on a listening socket, and note its address in `state`."""
    address = Address(
        url=f"http://127.0.0.1:{lent.getsockname()[1]}{BASE_PATH}",
        token=secrets.token_hex(TOKEN_BYTES),
        account=account,
    )
    built_in = Accounts(account, context.clock()).routes()
    table = Table(built_in, bindings, context, running)
    async with serving(Control(account, address.token, table), lent):
        with published(state, address):
            yield address
