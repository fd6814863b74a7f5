"""The control API of a node of `serve`: two accounts, a token of each kind."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.api import Heard, Server, control_server
from selfedge.binding import AnyBinding, Context, Route
from selfedge.catalog.accounts import first, new_account, opened
from selfedge.catalog.model import ADMIN, DEPLOY, READ, Seen, State
from selfedge.catalog.store import Catalog
from selfedge.catalog.times import iso
from selfedge.catalog.tokens import issued, new_token, revoked
from selfedge.control.node import Parts, node_control
from selfedge.control.server import Control, Rules
from selfedge.control.table import Room
from selfedge.control.workers import Tails, routes, workers_of
from selfedge.services.server import Services
from selfedge.settings import Settings
from selfedge.storage.embedded import EmbeddedStorage


class QuietFleet:
    """Runs no engine; remembers what it was told."""

    def __init__(self) -> None:
        self.routed = 0
        self.applied: list[tuple[str, str]] = []

    async def check(self, _account, _script, _version):
        return Seen(startup_ms=1)

    async def apply(self, account, script):
        self.applied.append((account, script))

    async def route(self):
        self.routed += 1

    def host(self, account, script):
        return f"{script}.{account}.localhost"

    def report(self):
        return [{"kind": "worker", "account": "0" * 32}, {"kind": "front"}]


@dataclass
class ServeApi:
    """What a test knows of it; accounts `a` and `b`."""

    server: Server
    catalog: Catalog
    fleet: QuietFleet
    routes: Sequence[Route]
    a: str
    b: str
    tokens: dict[str, str] = field(default_factory=dict)
    """"admin", "deploy" and "read" are of all accounts, "a-admin" … of one;
    "revoked" is none any more."""

    def ask(self, path: str, who: str = "admin", **options) -> Heard:
        return self.server.ask(path, token=self.tokens.get(who, who), **options)


@contextmanager
def serve_api(
    root: Path, bindings: Sequence[AnyBinding] = (), rules: Rules | None = None
) -> Iterator[ServeApi]:
    """Serve until the context ends."""
    catalog = Catalog.open(root, lambda _: None)
    fleet = QuietFleet()
    found: list[Sequence[Route]] = []
    prepared: list[tuple[str, str, dict[str, str]]] = []

    async def made(stack: AsyncExitStack) -> Control:
        prepared.append(await _prepared(catalog))

        async def room(account: str) -> Room:
            folder = root / "accounts" / account
            storage = await stack.enter_async_context(EmbeddedStorage(folder))
            context = Context(
                storage=storage,
                settings=Settings(cache_dir=root),
                clock=time.time,
                notice=lambda _: None,
            )
            services = await stack.enter_async_context(Services(bindings, context, {}))
            return Room(context, services.running)

        parts = Parts(
            catalog=catalog,
            fleet=fleet,
            bindings=bindings,
            rooms=room,
            clock=time.time,
            random=os.urandom,
        )
        workers = workers_of(
            catalog, fleet, time.time, bindings=bindings, esbuild=Path("esbuild")
        )
        tails = Tails(workers=workers, url=lambda tail_id: f"ws://localhost/{tail_id}")
        more = routes(workers, tails=tails, serves_assets=True)
        control, tables = node_control(parts, rules or Rules(), more)
        found.append(await tables.every(prepared[0][0]))
        return control

    with control_server(made) as server:
        a, b, tokens = prepared[0]
        yield ServeApi(server, catalog, fleet, found[0], a, b, tokens)


async def _prepared(catalog: Catalog) -> tuple[str, str, dict[str, str]]:
    state, admin = first(catalog.state, time.time, os.urandom)
    now = iso(0)
    other = new_account("other", None, now=now, random=os.urandom)
    a, b = next(iter(state.accounts)), other.id
    state = opened(state, other)
    texts = {"admin": admin}
    wanted = {
        "deploy": (DEPLOY, None),
        "read": (READ, None),
        **{
            f"{name}-{scope}": (scope, account)
            for name, account in (("a", a), ("b", b))
            for scope in (ADMIN, DEPLOY, READ)
        },
        "revoked": (ADMIN, None),
    }
    for name, (scope, account) in wanted.items():
        token, texts[name] = new_token(name, scope, account, now=now, random=os.urandom)
        state = issued(state, token)
    state = revoked(state, token.id)

    def edit(_: State) -> State:
        return state

    await catalog.change(edit)
    return a, b, texts
