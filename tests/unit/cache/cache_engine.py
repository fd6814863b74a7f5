"""Workers of the real engine, and the cache server behind them."""

import asyncio
import http.client
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import uvloop
from aiohttp import web
from cache_node import KIB, Time, node

from selfedge.binding import IDENTITY_HEADER, Site
from selfedge.bindings.cache import BINDING
from selfedge.bindings.cache.limits import MIB, Bounds
from selfedge.bindings.cache.server import CacheServer
from selfedge.storage.embedded import EmbeddedStorage

WORKERS = ("one", "two")
BOUNDS = replace(Bounds(), body_max_bytes=4 * MIB, write_delay_s=0)


@dataclass
class Caches:
    """Two Workers that do what a test asks of their caches."""

    ports: dict[str, int]
    clock: Time

    def run(self, *steps: dict[str, Any], worker: str = "one") -> list[Any]:
        """Let `worker` do `steps`, one after another; return what came of each."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[worker])
        try:
            connection.request("POST", "/", json.dumps(steps))
            answer: list[Any] = json.load(connection.getresponse())
        finally:
            connection.close()
        return answer


class ServerThread:
    """The cache's server on a unix socket, as a node runs it."""

    def __init__(self, path: Path, state: Path, clock: Time) -> None:
        self._path, self._state, self._clock = path, state, clock
        self._ready = threading.Event()
        self._stop: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()
        assert self._ready.wait(10)

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._thread.join(10)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        self._stop = lambda: loop.call_soon_threadsafe(stop.set)
        async with (
            EmbeddedStorage(self._state) as storage,
            node(storage, clock=self._clock, bounds=BOUNDS) as made,
        ):
            cache = CacheServer(made.service)

            async def handle(request: web.BaseRequest) -> web.StreamResponse:
                _, _, resource = request.headers[IDENTITY_HEADER].partition(":")
                return await cache.handle(unquote(resource), request)

            server = web.Server(
                handle,
                keepalive_timeout=75,
                access_log=None,
                auto_decompress=False,
                max_line_size=64 * KIB,
                max_field_size=256 * KIB,
            )
            listening = await loop.create_unix_server(server, str(self._path))
            self._ready.set()
            await stop.wait()
            listening.close()
            await server.shutdown()


def config(socket_path: Path) -> dict[str, Any]:
    script = Path(__file__).with_name("cache_worker.js").read_text()
    services: list[dict[str, Any]] = []
    for name in WORKERS:
        site = Site(
            account="test", worker=name, workers=frozenset(WORKERS), objects="objects"
        )
        [entry] = BINDING.parse(None)
        fragment = BINDING.compile(entry, site)
        [backend] = fragment.backends
        identity = {"name": IDENTITY_HEADER, "value": backend.service}
        options = {**backend.http, "injectRequestHeaders": [identity]}
        external = {"address": f"unix:{socket_path}", "http": options}
        worker = {
            "modules": [{"name": "worker.js", "esModule": script}],
            "compatibilityDate": "2026-10-01",
            **fragment.worker,
        }
        services.append({"name": backend.service, "external": external})
        services.append({"name": name, "worker": worker})
    sockets = [
        {"name": name, "http": {}, "service": {"name": name}} for name in WORKERS
    ]
    return {"services": services, "sockets": sockets}
