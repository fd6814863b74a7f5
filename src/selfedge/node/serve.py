"""Builds every object of a node of `serve`."""

import asyncio
import os
import secrets
import signal
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from selfedge.binding import Context
from selfedge.catalog import accounts
from selfedge.catalog.model import State
from selfedge.catalog.store import Catalog
from selfedge.catalog.unpacked import Unpacked
from selfedge.client.address import Address, published
from selfedge.control.audit import AuditLog
from selfedge.control.connections import answering
from selfedge.control.health import Health
from selfedge.control.measures import Measures, Scrape
from selfedge.control.node import Parts, node_control
from selfedge.control.objects import Objects, named
from selfedge.control.rate import Rates, calls_at
from selfedge.control.server import BASE_PATH, Rules
from selfedge.control.table import Room
from selfedge.control.tailing import Tailing
from selfedge.control.who import CatalogTokens
from selfedge.control.workers import Tails, routes, workers_of
from selfedge.edge.place import Places, open_database
from selfedge.front.config import Listener
from selfedge.front.pages import DOWN, EXCEEDED_CPU, EXCEEDED_MEMORY, Page
from selfedge.front.table import origins
from selfedge.node.addresses import is_loopback, listen_at, shown
from selfedge.node.beside import beside_api
from selfedge.node.certificates import CertificateFiles
from selfedge.node.checks import checks
from selfedge.node.engines import launch_of
from selfedge.node.events import dispatch, schedules
from selfedge.node.logs import kept, logs_of
from selfedge.node.measuring import measured
from selfedge.node.options import ServeOptions, ServeTerminal
from selfedge.node.renewing import until_stopped
from selfedge.node.signals import ending
from selfedge.node.systemd import READY, STOPPING, tell
from selfedge.services.front import FrontService
from selfedge.services.serve import Accounts, front_gate
from selfedge.services.tail import TailService
from selfedge.settings import Settings
from selfedge.standard import BINDINGS
from selfedge.storage.embedded import EmbeddedStorage
from selfedge.supervisor.console import Console
from selfedge.supervisor.door import Ports
from selfedge.supervisor.fleet import Fleet
from selfedge.supervisor.front import Front
from selfedge.supervisor.group import Group
from selfedge.supervisor.limits import Limits, profile
from selfedge.supervisor.member import Grounds
from selfedge.supervisor.plan import Land
from selfedge.supervisor.pool import Pool
from selfedge.supervisor.sockets import ClientPort, listen_unix
from selfedge.supervisor.state import owned, run_directory
from selfedge.supervisor.warden import End, Terms, Warden
from selfedge.telemetry.event import Stack
from selfedge.telemetry.hub import Hub
from selfedge.telemetry.ledger import Ledger
from selfedge.workerd.config import encode
from selfedge.workerd.install import Engine

Handler = Callable[..., Any]

COLO = "LAB"
FRONT_BLOCKED_S = 5.0
FRONT_BACK_OFF_S = (0.0, 0.0, 0.0, 0.1)  # without it, nobody is served
_PAGES = {
    End.EXCEEDED_CPU: EXCEEDED_CPU,
    End.EXCEEDED_MEMORY: EXCEEDED_MEMORY,
}


async def serve(
    options: ServeOptions, engine: Engine, settings: Settings, terminal: ServeTerminal
) -> int:
    """Run the node until a signal comes; return the exit code.

    Raises:
        SelfedgeError: it cannot start; what is wrong is in the message.
    """
    stop, renew = asyncio.Event(), asyncio.Event()
    received: list[int] = []
    handlers = {signal.SIGHUP: renew.set}
    async with AsyncExitStack() as stack:
        stack.enter_context(ending(stop, received, handlers))
        stack.enter_context(owned(options.data))
        run_dir = stack.enter_context(run_directory(options.data))
        front = await stack.enter_async_context(
            _running(options, engine, settings, terminal, run_dir)
        )
        await until_stopped(stop, renew, front, terminal.notice)
        tell(STOPPING, os.environ)
    return 128 + received[0] if received and received[0] != signal.SIGTERM else 0


@asynccontextmanager
async def _running(
    options: ServeOptions,
    engine: Engine,
    settings: Settings,
    terminal: ServeTerminal,
    run_dir: Path,
) -> AsyncIterator[Front]:
    """Start all parts; ready when clients and the API's callers are answered."""
    async with AsyncExitStack() as stack:
        ports = {
            f"client{index}": ClientPort(one.host, one.port)
            for index, one in enumerate(options.listens)
        }
        lent = stack.enter_context(
            closing(listen_at(options.api.host, options.api.port))
        )
        catalog = await asyncio.to_thread(Catalog.open, options.data, terminal.notice)
        await asyncio.to_thread(catalog.sweep)
        token = await _first(catalog)
        node = _Node(options, engine, settings, terminal, run_dir, ports, catalog)
        await node.start(stack)
        node.api_url = _api_url(options, lent.getsockname()[1])
        address = Address(
            url=node.api_url,
            token="",
            account=next(iter(catalog.state.accounts)),
        )
        control = node.control(loopback=is_loopback(options.api.host))
        await stack.enter_async_context(answering(control, lent, _tls(options)))
        stack.enter_context(published(options.data, address))
        if token:
            terminal.first(msgspec.structs.replace(address, token=token))
        terminal.ready(_urls(options, ports), address, node.workers)
        tell(READY, os.environ)
        yield node.front


class _Node:
    """All parts of a running node."""

    def __init__(
        self,
        options: ServeOptions,
        engine: Engine,
        settings: Settings,
        terminal: ServeTerminal,
        run_dir: Path,
        ports: Mapping[str, ClientPort],
        catalog: Catalog,
    ) -> None:
        self._options = options
        self._settings = settings
        self._terminal = terminal
        self._run_dir = run_dir
        self._catalog = catalog
        self._unpacked = Unpacked(catalog, options.data / "assets", time.time)
        self._esbuild = engine.esbuild
        self.api_url = ""  # known once its port is
        for name in ("e", "f", "i"):
            (run_dir / name).mkdir(mode=0o700)
        self._ledger = Ledger()
        self._logs = logs_of(options, terminal.notice)
        self._hub = Hub(partial(kept, catalog), self._logs)
        databases = [open_database(db) for db in (*options.geoip, engine.countries)]
        self._accounts = Accounts(
            BINDINGS,
            self._context,
            Places(databases),
            self._stacks,
            partial(TailService, hub=self._hub, known=self._known),
            terminal.log,
            self._ledger,
        )
        grounds = Grounds(
            launch=launch_of(options, engine, terminal.notice, run_dir / "i"),
            ways=run_dir / "e",
            encode=partial(encode, schema=engine.schema),
            run_dir=run_dir,
            pool=Pool(run_dir / "s", options.slots),
            push=self._push,
            log=terminal.log,
            notice=terminal.notice,
            profile=profile(options.limits),
            idle_s=options.idle_s,
            hub=self._hub,
            ledger=self._ledger,
        )
        self.front = self._front(ports, grounds)
        self._fleet = Fleet(
            catalog,
            self.front,
            self._land,
            grounds,
            self._accounts.gate,
            options.domain,
            (_scheme(options), next(iter(ports.values())).port),
        )

    @property
    def workers(self) -> int:
        """How many Workers there are."""
        return sum(len(one.scripts) for one in self._catalog.state.accounts.values())

    async def start(self, stack: AsyncExitStack) -> None:
        """Have clients led to the Workers; all ends with `stack`."""
        stack.push_async_callback(self._logs.flush)
        stack.push_async_callback(self._accounts.close)
        stack.push_async_callback(self._fleet.stop)
        service = FrontService(self._fleet.table, self._explain, self._options.proxies)
        async with AsyncExitStack() as starting:
            context = await starting.enter_async_context(self._context("node"))
            gate = await starting.enter_async_context(front_gate(service, context))
            await gate.listen(listen_unix(self._services))
            stack.push_async_exit(starting.pop_all())
        await asyncio.to_thread(self._unpacked.open)
        await self._fleet.start()
        stack.push_async_callback(self.front.stop)
        await self.front.start(origins(self._catalog.state))

    def control(self, *, loopback: bool) -> Handler:
        """Return what answers the API."""
        rules = Rules(
            any_host=not loopback,
            rates=Rates(time.time, calls=calls_at(self._options.api_rate)),
            audit=AuditLog(
                self._options.data / "logs", time.time, self._terminal.notice
            ),
        )
        parts = Parts(
            catalog=self._catalog,
            fleet=self._fleet,
            bindings=BINDINGS,
            rooms=self._room,
            clock=time.time,
            random=secrets.token_bytes,
        )
        workers = workers_of(
            self._catalog,
            self._fleet,
            time.time,
            bindings=BINDINGS,
            esbuild=self._esbuild,
            services=self._accounts.running,
        )
        tails = Tails(workers=workers, url=self._tail_url)
        measure = partial(measured, self._fleet, self._accounts, self._ledger)
        found = [
            *routes(workers, tails=tails, logs=self._logs.find, serves_assets=True),
            *Measures(measure).routes(),
            *Objects(named(self._catalog), self._options.data / "objects").routes(),
        ]
        control, _ = node_control(parts, rules, found)
        return beside_api(
            control.answer,
            Tailing(tails, self._hub, self._fleet.attach),
            Scrape(
                measure=measure,
                who=CatalogTokens(lambda: self._catalog.state),
                rates=rules.rates,
                any_host=rules.any_host,
            ),
            Health(checks(self._options.data, self.front.answers, self._services)),
        )

    def _tail_url(self, tail_id: str) -> str:
        base = self.api_url.replace("http", "ws", 1).removesuffix(BASE_PATH)
        return f"{base}/tails/{tail_id}"

    @property
    def _services(self) -> Path:
        return self._run_dir / "services"

    @property
    def _internal(self) -> Path:
        return self._run_dir / "i" / "internal"  # a folder that groups see

    @asynccontextmanager
    async def _context(self, account: str) -> AsyncIterator[Context]:
        root = self._options.data / "accounts" / account
        async with EmbeddedStorage(root) as storage:
            yield Context(
                storage=storage,
                settings=self._settings,
                clock=time.time,
                notice=self._terminal.notice,
                dispatch=dispatch(self._run_dir / "e", account),
                triggers=schedules(self._catalog, account),
            )

    async def _room(self, account: str) -> Room:
        context, services = await self._accounts.of(account)
        return Room(context, services.running)

    async def _push(self) -> None:
        await self._fleet.push()

    def _stacks(self, account: str, script: str) -> Console | None:
        member = self._fleet.member(account, script)
        return member.console if member else None

    def _known(self, account: str, part: str) -> tuple[str, Stack] | None:
        member = self._fleet.member(account, part.partition("@")[0])
        version = member.version_of(part) if member else None
        return (version, member.console.readable) if member and version else None

    async def _explain(self, account: str, script: str) -> tuple[Page, float]:
        end, retry_s = await self._fleet.end_of(account, script)
        return (_PAGES.get(end, DOWN) if end else DOWN), retry_s

    def _land(self, served: Sequence[str]) -> Land:
        return Land(
            bindings=BINDINGS,
            objects=self._options.data / "objects",
            entrances=self._run_dir / "e",
            front=f"unix:{self._internal}",
            served=served,
            edge={"colo": COLO, "loopback": False, "place": {}},
            unpack=self._unpacked.folder,
        )

    def _front(self, ports: Mapping[str, ClientPort], grounds: Grounds) -> Front:
        terms = Terms(
            limits=Limits(blocked_s=FRONT_BLOCKED_S, memory_bytes=None),
            idle_s=None,
            back_off=FRONT_BACK_OFF_S,
        )
        console = Console(grounds.log, str)
        group = Group(
            Ports(ports),
            launch=replace(grounds.launch, sandbox=None),
            encode=grounds.encode,
            run_dir=self._run_dir / "f",
            hear=console.hear,
            watchdog=lambda start: Warden(start, lambda: terms, grounds.notice),
        )
        return Front(
            group,
            partial(_listeners, self._options.certificate, list(ports)),
            grounds.pool.addresses,
            self._services,
            self._internal,
            trusting=bool(self._options.proxies),
        )


async def _first(catalog: Catalog) -> str | None:
    """Make the first account of a new node; return its token."""
    if catalog.state.accounts:
        return None
    made: list[str] = []

    def edit(state: State) -> State:
        state, token = accounts.first(state, time.time, secrets.token_bytes)
        made.append(token)
        return state

    await catalog.change(edit)
    return made[-1]


def _listeners(
    certificate: CertificateFiles | None, sockets: Sequence[str]
) -> Sequence[Listener]:
    """Return the sockets for clients, with the certificate as it is on disk now."""
    read = certificate.read() if certificate else None
    return [Listener(socket=name, certificate=read) for name in sockets]


def _tls(options: ServeOptions) -> ssl.SSLContext | None:
    """Return the certificate for the API, which needs none on loopback."""
    if options.certificate is None or is_loopback(options.api.host):
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options.certificate.chain, options.certificate.key)
    return context


def _api_url(options: ServeOptions, port: int) -> str:
    scheme = "http" if _tls(options) is None else "https"
    return f"{scheme}://{shown(options.api.host)}:{port}{BASE_PATH}"


def _urls(options: ServeOptions, ports: Mapping[str, ClientPort]) -> Sequence[str]:
    scheme = _scheme(options)
    return [f"{scheme}://{shown(one.host)}:{one.port}" for one in ports.values()]


def _scheme(options: ServeOptions) -> str:
    return "https" if options.certificate else "http"
