"""The same Worker on two KVs: selfedge's service, and the engine's own `kv.js`."""

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
from selfedge.bindings.kv import BINDING
from selfedge.bindings.kv.server import serve
from selfedge.settings import Settings, cache_dir
from selfedge.storage.embedded import EmbeddedStorage
from selfedge.workerd.config import encode
from selfedge.workerd.install import engine

NAMESPACE = "behaviour"
_BEHAVIOUR = Path(__file__).with_name("behaviour.js")
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
    path = folder / "kv.sock"
    (namespace,) = BINDING.parse([{"binding": "KV", "id": NAMESPACE}])
    fragment = BINDING.compile(namespace, _SITE)
    (backend,) = fragment.backends
    service = {
        "name": backend.service,
        "external": {"address": f"unix:{path}", "http": {}},
    }
    clock = {"name": "CLOCK", "service": {"name": backend.service}}
    with serving(folder / "state", path):
        yield from _engine(folder, [*fragment.bindings, clock], [service])


@contextmanager
def bundled(folder: Path) -> Iterator[Arm]:
    """Run the Worker against the KV that is bundled with the engine."""
    disk = folder / "disk"
    disk.mkdir()
    designator = {"name": "kv", "props": {"json": json.dumps({"namespace": NAMESPACE})}}
    shard = {"className": "KVNamespace"}
    worker = {
        "modules": [{"name": "kv.js", "bundled": "/workerd/kv.js"}],
        "compatibilityDate": "2026-10-01",
        "durableObjectNamespaces": [{**shard, "uniqueKey": "kv", "enableSql": True}],
        "durableObjectStorage": {"localDisk": "disk"},
        "bindings": [
            {"name": "SHARD", "durableObjectNamespace": shard},
            {"name": "BLOBS", "service": {"name": "disk"}},
            {"name": "TEST_CLOCK", "json": "true"},
        ],
    }
    services = [
        {"name": "kv", "worker": worker},
        {"name": "disk", "disk": {"path": str(disk), "writable": True}},
    ]
    bindings = [
        {"name": "KV", "kvNamespace": designator},
        {"name": "CLOCK", "service": designator},
    ]
    yield from _engine(folder, bindings, services)


def _engine(
    folder: Path, bindings: list[dict[str, Any]], services: list[dict[str, Any]]
) -> Iterator[Arm]:
    parts = engine(cache_dir(), os.environ)
    module = {"name": "worker.js", "esModule": _BEHAVIOUR.read_text()}
    worker = {
        "modules": [module],
        "compatibilityDate": "2026-10-01",
        "bindings": bindings,
    }
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
def serving(state: Path, path: Path) -> Iterator[None]:
    """Serve KV on the unix socket `path`; POST /clock?advance=MS moves its clock."""
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(_serve(state, path, ready, stop))
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
    state: Path, path: Path, ready: threading.Event, stop: asyncio.Event
) -> None:
    skew = 0.0

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal skew
        if request.method == "POST" and request.path == "/clock":
            skew += int(request.query["advance"]) / 1000
            return web.Response()
        return await kv.handle(NAMESPACE, request)

    async with EmbeddedStorage(state) as storage:
        context = Context(
            storage=storage,
            settings=Settings(cache_dir=state),
            clock=lambda: time.time() + skew,
            notice=lambda _: None,
        )
        async with serve(context) as kv:
            server = web.Server(handle, max_line_size=65_536, max_field_size=65_536)
            runner = web.ServerRunner(server, keepalive_timeout=75)
            await runner.setup()
            await web.UnixSite(runner, str(path), backlog=4096).start()
            ready.set()
            await stop.wait()
            await runner.cleanup()
