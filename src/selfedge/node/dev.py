"""Builds every object of a node of `dev`."""

import asyncio
import hashlib
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    closing,
)
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Protocol

from selfedge.binding import Context, Service
from selfedge.client.address import Address
from selfedge.compiler.process import CLIENT_SOCKET, backends
from selfedge.control.listen import listen_loopback
from selfedge.edge.place import Places, open_database
from selfedge.node.signals import ending
from selfedge.settings import Settings
from selfedge.standard import BINDINGS
from selfedge.storage.embedded import EmbeddedStorage
from selfedge.supervisor.console import Console
from selfedge.supervisor.dev import DevLoop, Surroundings, Terminal
from selfedge.supervisor.door import Ports
from selfedge.supervisor.group import Group
from selfedge.supervisor.launch import Launch
from selfedge.supervisor.project import ACCOUNT, Choices, Project
from selfedge.supervisor.remapper import Remapper
from selfedge.supervisor.sockets import ClientPort, listen_unix
from selfedge.supervisor.state import owned, run_directory
from selfedge.supervisor.watchdog import Watchdog
from selfedge.workerd.config import encode
from selfedge.workerd.install import Engine

COLO = "LAB"
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class DevTerminal(Terminal, Protocol):
    """What `dev` says to its user, and hears of them."""

    def ready(self, project: Project | None, url: str) -> None:
        """Clients can connect."""

    def api(self, address: Address) -> None:
        """The control API and the dashboard answer."""

    def log(self, level: str, text: str) -> None:
        """A Worker, or the engine, said something."""

    def notice(self, text: str) -> None:
        """We say something."""

    def keys(
        self, reload: asyncio.Event, stop: asyncio.Event
    ) -> AbstractContextManager[None]:
        """Hear keys while the context is open."""


class RunsServices(Protocol):
    """Has the services of bindings."""

    async def running(self, kind: str) -> Service:
        """Return the service of a kind; start it if no Worker has needed it yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DevOptions:
    """What the user of `dev` chose; paths are absolute."""

    configs: Sequence[Path]
    state: Path
    host: str = "127.0.0.1"
    port: int = 8787
    environment: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    upstream: str | None = None
    country: str | None = None
    client_ip: str | None = None
    geoip: Sequence[Path] = ()  # databases; the first that knows an address wins
    reload: bool = True
    api_port: int | None = 0  # of the control API; None: there is none


async def dev(
    options: DevOptions, engine: Engine, settings: Settings, terminal: DevTerminal
) -> int:
    """Run the project until a signal comes; return the exit code.

    Raises:
        SelfedgeError: it cannot start; what is wrong is in the message.
    """
    again, stop = asyncio.Event(), asyncio.Event()
    received: list[int] = []
    async with AsyncExitStack() as stack:
        stack.enter_context(ending(stop, received))
        stack.enter_context(owned(options.state))
        run_dir = stack.enter_context(run_directory(options.state))
        stack.enter_context(terminal.keys(again, stop))
        loop = await stack.enter_async_context(
            _running(options, engine, settings, terminal, run_dir, again)
        )
        await _until(stop, loop.run(watching=options.reload))
    return 128 + received[0] if received else 0


async def _until(stop: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Run `work` until `stop` is set; an error of `work` is raised."""
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        working.result()
    while not working.done():  # a release that is under way may take a moment
        working.cancel()
        await asyncio.wait({working}, timeout=1)


@asynccontextmanager
async def _running(
    options: DevOptions,
    engine: Engine,
    settings: Settings,
    terminal: DevTerminal,
    run_dir: Path,
    again: asyncio.Event,
) -> AsyncIterator[DevLoop]:
    """Start the engine, then the services: a first request waits for neither."""
    port = ClientPort(options.host, options.port)
    remapper = Remapper()
    console = Console(terminal.log, remapper)
    group = Group(
        Ports({CLIENT_SOCKET: port}),
        launch=Launch(workerd=engine.workerd),
        encode=partial(encode, schema=engine.schema),
        run_dir=run_dir,
        hear=console.hear,
        watchdog=lambda start: Watchdog(start, terminal.notice),
    )
    path = run_dir / "services.sock"
    lent = listen_unix(path)
    dispatch = partial(_dispatch, run_dir)
    given = _surroundings(options, engine, port, path, dispatch)
    loop = DevLoop(given, group, remapper, terminal, again)
    async with AsyncExitStack() as stack:
        api = _api_socket(options.api_port, stack)
        stack.push_async_callback(group.stop)
        warm = asyncio.create_task(asyncio.to_thread(import_module, "capnp"))
        project = await loop.start()
        await warm
        terminal.ready(project, _url(options.host, port.port))
        module = await asyncio.to_thread(import_module, "selfedge.services.dev")
        storage = await stack.enter_async_context(EmbeddedStorage(options.state))
        context = Context(
            storage=storage,
            settings=settings,
            clock=time.time,
            notice=terminal.notice,
            dispatch=dispatch,
            triggers=loop.triggers,
        )
        places = Places(
            [open_database(db) for db in (*options.geoip, engine.countries)]
        )
        services = module.services(BINDINGS, context, places, console, terminal.log)
        await stack.enter_async_context(services)
        gate = services.gate()
        stack.push_async_callback(gate.close)
        await gate.allow(backends(project.parts) if project else ())
        await gate.listen(lent)
        loop.allow = gate.allow
        stack.push_async_callback(group.stop)  # Workers end before what they call
        if api is not None:
            address = await _serve_api(stack, api, context, services, options.state)
            terminal.api(address)
        yield loop


def _api_socket(port: int | None, stack: AsyncExitStack) -> socket.socket | None:
    """Take the API's port before anything runs; who calls early waits for it."""
    if port is None:
        return None
    return stack.enter_context(closing(listen_loopback(port)))


async def _serve_api(
    stack: AsyncExitStack,
    lent: socket.socket,
    context: Context,
    services: RunsServices,
    state: Path,
) -> Address:
    module = await asyncio.to_thread(import_module, "selfedge.control.local")
    site = await asyncio.to_thread(import_module, "selfedge.dashboard.server")
    api: AbstractAsyncContextManager[Address] = module.local_api(
        lent, ACCOUNT, BINDINGS, context, services.running, state, site.Dashboard()
    )
    return await stack.enter_async_context(api)


def _surroundings(
    options: DevOptions,
    engine: Engine,
    port: ClientPort,
    services: Path,
    dispatch: Callable[[str], Path],
) -> Surroundings:
    loopback = options.host in _LOOPBACK
    chosen = {"ip": options.client_ip, "country": options.country}
    return Surroundings(
        choices=Choices(
            configs=options.configs,
            environment=options.environment,
            variables=options.variables,
            origins=options.origins,
            upstream=options.upstream,
            addresses=[
                f"{host}:{port.port}"
                for host in dict.fromkeys(
                    (options.host, "127.0.0.1", "localhost", "[::1]")
                )
            ],
            objects=options.state / "objects",
        ),
        bindings=BINDINGS,
        esbuild=engine.esbuild,
        environ=os.environ,
        services=f"unix:{services}",
        edge={
            "colo": COLO,
            "loopback": loopback,
            "place": {key: value for key, value in chosen.items() if value},
        },
        dispatch=dispatch,
    )


def _dispatch(run_dir: Path, script: str) -> Path:
    """Return where a script takes events; a socket's path must be short."""
    return run_dir / f"events-{hashlib.sha256(script.encode()).hexdigest()[:12]}"


def _url(host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"
