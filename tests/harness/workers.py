"""The routes of Workers on a real server, over a catalog on disk and a listed fleet."""

import asyncio
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.api import TOKEN, Heard, Server, control_server
from selfedge.binding import Route
from selfedge.catalog.model import Account, ScriptState, Seen, State, Version, Zone
from selfedge.catalog.scripts import find_script, with_account
from selfedge.catalog.store import Catalog
from selfedge.control.estate import OneAccount
from selfedge.control.server import Control
from selfedge.control.table import Tables
from selfedge.control.who import OneToken
from selfedge.control.workers import Tails, routes, workers_of
from selfedge.control.workers.multipart import form
from selfedge.errors import BuildError, EngineError
from selfedge.settings import cache_dir
from selfedge.standard import BINDINGS
from selfedge.workerd.install import engine

ACCOUNT = "local"
ZONE = "lab.example"
NOW_S = 1_790_000_000.0  # 2026-09-21
ES_MODULE = "application/javascript+module"
HELLO = "export default { fetch() { return new Response('hello') } }"
BROKEN = "throw new Error('at the start'); export default {}"
ENDLESS = "while (true) {} export default {}"
STARTUP_MAX_S = 0.2


@dataclass
class ListedFleet:
    """Runs nothing, but keeps what would run.

    Code that is BROKEN does not start; what is ENDLESS does not come to an end.
    """

    catalog: Catalog
    running: dict[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)
    routed: int = 0
    ailing: bool = False

    async def check(
        self, _account: str, _script: ScriptState, version: Version
    ) -> Seen:
        for module in version.modules:
            if ENDLESS.encode() in await self.catalog.blob(module.sha256):
                await asyncio.Event().wait()
            if BROKEN.encode() in await self.catalog.blob(module.sha256):
                raise BuildError("Uncaught Error: at the start at index.ts:1:7")
        return Seen(startup_ms=5)

    async def apply(self, account: str, script: str) -> None:
        if self.ailing:
            raise EngineError("the engine died")
        found = find_script(self.catalog.state, account, script)
        if found is None or not found.deployments:
            self.running.pop((account, script), None)
        else:
            live = found.deployments[0].versions
            self.running[account, script] = [share.version_id for share in live]

    async def forget(self, account: str, script: str) -> None:
        assert (account, script) not in self.running
        self.forgotten.append(script)

    async def attach(self, account: str, script: str) -> None:
        pass

    async def route(self) -> None:
        self.routed += 1

    def url(self, account: str, script: str) -> str:
        return f"http://{script}.{account}.localhost:8080"

    def report(self) -> Sequence[Mapping[str, object]]:
        return []


@dataclass(frozen=True, slots=True)
class Api:
    """Calls as wrangler and the SDKs make them."""

    server: Server
    fleet: ListedFleet
    catalog: Catalog
    routes: Sequence[Route]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Heard:
        """Call below the account; a body that is no bytes is sent as JSON."""
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body)
        return self.server.ask(
            f"/accounts/{ACCOUNT}/workers{path}",
            method=method,
            body=raw,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    def result(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Call, and return the result of a success."""
        heard = self.ask(method, path, body, **headers)
        envelope = heard.envelope()
        assert envelope["success"], envelope["errors"]
        return envelope["result"]

    def upload(
        self,
        path: str,
        metadata: Mapping[str, Any] | None = None,
        source: str = HELLO,
        method: str = "PUT",
        others: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> Heard:
        """Send a Worker whose main module is index.js."""
        said = {
            "main_module": "index.js",
            "compatibility_date": "2026-01-01",
            **(metadata or {}),
        }
        parts = {
            "metadata": ("application/json", json.dumps(said).encode()),
            "index.js": (ES_MODULE, source.encode()),
            **(others or {}),
        }
        kind, body = form(parts)
        return self.ask(method, path, body, Content_Type=kind)

    def deploy(self, name: str, metadata: Mapping[str, Any] | None = None) -> str:
        """Deploy a Worker; return the id of the version."""
        heard = self.upload(f"/scripts/{name}", metadata)
        assert heard.status == 200, heard.envelope()
        return heard.envelope()["result"]["deployment_id"]

    def add_version(self, name: str, metadata: Mapping[str, Any] | None = None) -> str:
        """Upload a version; return its id."""
        heard = self.upload(f"/scripts/{name}/versions", metadata, method="POST")
        assert heard.status == 200, heard.envelope()
        return heard.envelope()["result"]["id"]


@contextmanager
def workers_api(data: Path, *, serves_assets: bool = True) -> Iterator[Api]:
    """Serve the routes of Workers over a catalog in `data`."""
    catalog = Catalog.open(data, print)
    made: list[Route] = []
    fleet = ListedFleet(catalog)

    async def make(_stack: AsyncExitStack) -> Control:
        if not catalog.state.accounts:
            await catalog.change(_with_account)
        workers = workers_of(
            catalog,
            fleet,
            lambda: NOW_S,
            bindings=BINDINGS,
            esbuild=engine(cache_dir(), os.environ).esbuild,
        )
        workers = replace(workers, startup_max_s=STARTUP_MAX_S)
        tails = Tails(workers=workers, url=lambda tail: f"ws://127.0.0.1:1/{tail}")
        made.extend(routes(workers, tails=tails, serves_assets=serves_assets))
        tables = Tables(made, (), None)  # type: ignore[arg-type]
        return Control(OneToken(TOKEN, "me"), OneAccount(ACCOUNT), tables)

    with control_server(make) as server:
        yield Api(server, fleet, catalog, made)


def _with_account(state: State) -> State:
    zone = Zone(id="z1", name=ZONE, created_on="now")
    account = Account(
        id=ACCOUNT,
        name="Local",
        subdomain="local",
        created_on="now",
        zones={zone.id: zone},
    )
    return with_account(state, account)
