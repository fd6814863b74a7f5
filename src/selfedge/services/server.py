"""The services of bindings, and a socket for each group of Workers that uses them."""

import asyncio
import logging
import socket
import time
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Self
from urllib.parse import unquote

from aiohttp import web

from selfedge.binding import (
    IDENTITY_HEADER,
    AnyBinding,
    Bindable,
    Context,
    Figure,
    Measured,
    Serve,
    Service,
)
from selfedge.errors import SelfedgeError
from selfedge.telemetry.ledger import Timed, untimed

KEEP_ALIVE_S = (
    75.0  # the engine drops an idle connection after 5 s; we must not be first
)
BACKLOG = 4096  # the engine opens a connection for each concurrent call
LINE_MAX_BYTES = 64 * 1024  # a cached URL may be 16 KB, its encoding longer
FIELD_MAX_BYTES = 256 * 1024  # request headers of a cache key may be 128 KB
READ_AHEAD_BYTES = 256 * 1024  # of a body: large ones need not wait at each turn
_LOG = logging.getLogger(__name__)


class Services:
    """Runs the services that are used."""

    def __init__(
        self,
        bindings: Iterable[AnyBinding],
        context: Context,
        built_in: Mapping[str, Service],
        timed: Timed = untimed,
    ) -> None:
        self.timed = timed
        served = [binding for binding in bindings if binding.serve]
        self._servers = {binding.kind: binding.serve for binding in served}
        self._awake = [binding.kind for binding in served if binding.awake]
        self._context = context
        self._services = dict(built_in)
        self._stack = AsyncExitStack()
        self._starting = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._stack.aclose()

    async def bind(self, identities: Iterable[str]) -> None:
        """Have the services of `identities` ("kv:abc") running, and told of them."""
        wanted = set(identities)
        for kind in {identity.partition(":")[0] for identity in wanted}:
            await self._start(kind)
            self._tell(kind, wanted)

    async def wake(self) -> None:
        """Have those services running that call Workers by themselves.

        One that cannot is told: Workers that do not use it run all the same.
        """
        for kind in self._awake:
            try:
                await self._start(kind)
            except SelfedgeError as error:
                self._context.notice(str(error))

    async def running(self, kind: str) -> Service:
        """Return the service of a kind, started if no Worker has needed it yet.

        Raises:
            KeyError: bindings of this kind have no service.
        """
        await self._start(kind)
        return self._services[kind]

    def gate(self) -> "Gate":
        """Return a way in for one group of Workers; it may use nothing yet."""
        return Gate(self)

    async def _start(self, kind: str) -> None:
        async with self._starting:
            if kind in self._services or kind not in self._servers:
                return
            module, _, name = (self._servers[kind] or "").partition(":")
            serve: Serve = getattr(import_module(module), name)
            self._services[kind] = await self._stack.enter_async_context(
                serve(self._context)
            )

    def _tell(self, kind: str, wanted: Iterable[str]) -> None:
        service = self._services.get(kind)
        if isinstance(service, Bindable):
            of_kind = (name for name in wanted if name.startswith(f"{kind}:"))
            service.bound(unquote(name.partition(":")[2]) for name in of_kind)

    def figures(self) -> Iterable[Figure]:
        """Return what services that run tell of themselves."""
        for service in self._services.values():
            if isinstance(service, Measured):
                yield from service.figures()

    def find(self, kind: str) -> Service | None:
        """Return the service of a kind, if it runs."""
        return self._services.get(kind)


class Gate:
    """The socket of one group of Workers, and what they may use through it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._allowed: frozenset[str] = frozenset()
        self._runner: web.ServerRunner | None = None

    async def allow(self, identities: Iterable[str]) -> None:
        """Let the group use `identities` ("kv:abc") too; start what is not running."""
        wanted = frozenset(identities)
        await self._services.bind(wanted)
        self._allowed |= wanted

    async def listen(self, lent: socket.socket) -> None:
        """Answer on a listening unix socket until closed."""
        server = web.Server(
            self._answer,
            access_log=None,
            keepalive_timeout=KEEP_ALIVE_S,
            max_line_size=LINE_MAX_BYTES,
            max_field_size=FIELD_MAX_BYTES,
            read_bufsize=READ_AHEAD_BYTES,
            auto_decompress=False,  # bodies are the user's bytes, whatever they say
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.SockSite(self._runner, lent, backlog=BACKLOG).start()

    async def close(self) -> None:
        """Answer no more; calls under way get a second."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        identity = request.headers.get(IDENTITY_HEADER, "")
        kind, _, resource = identity.partition(":")
        service = self._services.find(kind)
        if service is None or identity not in self._allowed:
            return web.Response(status=403, reason=f"No binding {identity or '?'}")
        failed, started = False, time.perf_counter()
        try:
            response = await service.handle(unquote(resource), request)
            failed = response.status >= 500
        except Exception:  # noqa: BLE001 - one bad request must not end the rest
            failed = True
            _LOG.exception("service %s failed on %s", identity, request.method)
            return web.Response(status=500, reason="Internal error, see the log")
        else:
            return response
        finally:
            took_ms = (time.perf_counter() - started) * 1000
            self._services.timed(kind, took_ms, failed=failed)
