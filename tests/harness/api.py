"""A control API on a real port, in a thread of its own, with routes of a test."""

import asyncio
import http.client
import json
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

from selfedge.binding import AnyBinding, Context, Route
from selfedge.client.address import Address
from selfedge.control.connections import Patience
from selfedge.control.estate import OneAccount
from selfedge.control.listen import listen_loopback
from selfedge.control.server import BASE_PATH, Control, serving
from selfedge.control.table import Room, Tables
from selfedge.control.who import OneToken
from selfedge.services.server import Services
from selfedge.settings import Settings
from selfedge.storage.embedded import EmbeddedStorage
from selfedge.types import Clock

TOKEN = "the-token"
TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def envelope(self) -> Mapping[str, Any]:
        return json.loads(self.body)

    @property
    def code(self) -> int | None:
        """The first error's code."""
        errors = self.envelope()["errors"]
        return errors[0]["code"] if errors else None


@dataclass(slots=True)
class Server:
    """What a test knows of it."""

    port: int
    stop: Event = field(default_factory=Event)

    @property
    def address(self) -> Address:
        url = f"http://127.0.0.1:{self.port}{BASE_PATH}"
        return Address(url=url, token=TOKEN, account="local")

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        token: str | None = TOKEN,
        base: str = BASE_PATH,
    ) -> Heard:
        sent = dict(headers or {})
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {token}")
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=TIMEOUT_S
        )
        with closing(connection):
            connection.request(method, base + path, body, sent)
            answer = connection.getresponse()
            return Heard(answer.status, dict(answer.headers), answer.read())

    def say(self, raw: bytes) -> bytes:
        """Send bytes and return all that comes back until the connection ends."""
        with socket.create_connection(("127.0.0.1", self.port), TIMEOUT_S) as one:
            one.sendall(raw)
            return b"".join(iter(lambda: one.recv(65536), b""))


@contextmanager
def api_server(
    routes: Sequence[Route] = (),
    bindings: Sequence[Any] = (),
    running: Any = None,
    patience: Patience | None = None,
) -> Iterator[Server]:
    """Serve as `selfedge dev` does, until the context ends."""

    async def room(_account: str) -> Room:
        return Room(None, running)  # type: ignore[arg-type]

    async def made(_stack: AsyncExitStack) -> Control:
        tables = Tables(routes, bindings, room)
        return Control(OneToken(TOKEN, "dev"), OneAccount("local"), tables)

    with control_server(made, patience) as server:
        yield server


@contextmanager
def bindings_server(
    bindings: Sequence[AnyBinding], root: Path, clock: Clock = time.time
) -> Iterator[Server]:
    """Serve the routes of real services, whose state is in `root`."""

    async def made(stack: AsyncExitStack) -> Control:
        storage = await stack.enter_async_context(EmbeddedStorage(root))
        context = Context(
            storage=storage,
            settings=Settings(cache_dir=root),
            clock=clock,
            notice=lambda _: None,
        )
        services = await stack.enter_async_context(Services(bindings, context, {}))

        async def room(_account: str) -> Room:
            return Room(context, services.running)

        tables = Tables((), bindings, room)
        return Control(OneToken(TOKEN, "dev"), OneAccount("local"), tables)

    with control_server(made) as server:
        yield server


@contextmanager
def control_server(
    make: Callable[[AsyncExitStack], Awaitable[Control]],
    patience: Patience | None = None,
) -> Iterator[Server]:
    """Serve what `make` returns, until the context ends."""
    ready = Event()
    lent = listen_loopback(0)
    made: list[Server] = []

    async def serve() -> None:
        server = Server(lent.getsockname()[1])
        made.append(server)
        async with AsyncExitStack() as stack:
            control = await make(stack)
            async with serving(control, lent, None, patience or Patience()):
                ready.set()
                await asyncio.to_thread(server.stop.wait)

    thread = Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(TIMEOUT_S)
        yield made[0]
    finally:
        made[0].stop.set()
        thread.join(TIMEOUT_S)
