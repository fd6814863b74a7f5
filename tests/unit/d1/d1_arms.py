"""The same Worker on two D1s: selfedge's service, and the engine's own `d1.js`."""

import asyncio
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from aiohttp import web

from selfedge.binding import Context, Site
from selfedge.bindings.d1 import BINDING
from selfedge.bindings.d1.server import serve
from selfedge.settings import Settings, cache_dir
from selfedge.storage.embedded import EmbeddedStorage
from selfedge.workerd.config import encode
from selfedge.workerd.install import engine

BEHAVIOUR = Path(__file__).with_name("behaviour.js")
DATE = "2026-10-01"
_SITE = Site(account="a", worker="w", workers=frozenset(["w"]), objects="objects")


@dataclass(frozen=True)
class Arm:
    """A Worker that runs the cases of behaviour.js, listening on a port."""

    port: int

    def run(self, case: str) -> Any:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", f"/{case}")
            reply = connection.getresponse()
            body = reply.read().decode()
        finally:
            connection.close()
        assert reply.status == 200, body
        return json.loads(body)


@contextmanager
def ours(folder: Path) -> Iterator[Arm]:
    """Run the Worker against selfedge's service."""
    path = folder / "d1.sock"
    (database,) = BINDING.parse([{"binding": "DB", "database_id": "behaviour"}])
    fragment = BINDING.compile(database, _SITE)
    (backend,) = fragment.backends
    service = {
        "name": backend.service,
        "external": {"address": f"unix:{path}", "http": {}},
    }
    with serving(folder / "state", path, backend.resource):
        yield from _engine(folder, [*fragment.bindings], [service])


@contextmanager
def bundled(folder: Path) -> Iterator[Arm]:
    """Run the Worker against the D1 that is bundled with the engine."""
    disk = folder / "disk"
    disk.mkdir()
    shard = {"className": "D1Database"}
    worker = {
        "modules": [{"name": "d1.js", "bundled": "/workerd/d1.js"}],
        "compatibilityDate": DATE,
        "durableObjectNamespaces": [{**shard, "uniqueKey": "d1", "enableSql": True}],
        "durableObjectStorage": {"localDisk": "disk"},
        "bindings": [{"name": "DATABASE", "durableObjectNamespace": shard}],
    }
    services = [
        {"name": "d1", "worker": worker},
        {"name": "disk", "disk": {"path": str(disk), "writable": True}},
    ]
    props = {"json": json.dumps({"database": "behaviour"})}
    inner = [{"name": "fetcher", "service": {"name": "d1", "props": props}}]
    wrapped = {"moduleName": "cloudflare-internal:d1-api", "innerBindings": inner}
    yield from _engine(folder, [{"name": "DB", "wrapped": wrapped}], services)


def _engine(
    folder: Path, bindings: list[dict[str, Any]], services: list[dict[str, Any]]
) -> Iterator[Arm]:
    parts = engine(cache_dir(), os.environ)
    module = {"name": "worker.js", "esModule": BEHAVIOUR.read_text()}
    worker = {"modules": [module], "compatibilityDate": DATE, "bindings": bindings}
    config = {
        "services": [{"name": "main", "worker": worker}, *services],
        "sockets": [{"name": "http", "service": {"name": "main"}}],
    }
    path = folder / "config.bin"
    path.write_bytes(encode(config, parts.schema))
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        log = stack.enter_context((folder / "engine.log").open("wb"))
        number = listener.fileno()
        command = [parts.workerd, "serve", "-b", "--experimental", path]
        process = subprocess.Popen(
            [*command, f"--socket-fd=http={number}"],
            pass_fds=[number],
            stdout=log,
            stderr=log,
        )
        stack.callback(process.wait)
        stack.callback(process.kill)
        yield Arm(listener.getsockname()[1])


@contextmanager
def serving(state: Path, path: Path, resource: str) -> Iterator[None]:
    """Serve D1 on the unix socket `path`."""
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(
            _serve(state, path, resource, ready, stop)
        )
    )
    thread.start()
    try:
        assert ready.wait(20)
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()


async def _serve(
    state: Path,
    path: Path,
    resource: str,
    ready: threading.Event,
    stop: asyncio.Event,
) -> None:
    async with EmbeddedStorage(state) as storage:
        context = Context(
            storage=storage,
            settings=Settings(cache_dir=state),
            clock=time.time,
            notice=lambda _: None,
        )
        async with serve(context) as d1:
            server = web.Server(lambda request: d1.handle(resource, request))
            runner = web.ServerRunner(server, keepalive_timeout=75)
            await runner.setup()
            await web.UnixSite(runner, str(path), backlog=4096).start()
            ready.set()
            await stop.wait()
            await runner.cleanup()
