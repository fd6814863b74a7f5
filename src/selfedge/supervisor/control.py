"""Asks the edge module in an isolate over its private socket."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from selfedge.telemetry.counts import Counts

ANSWER_TIMEOUT_S = 1.0
BUSY_STEADY_S = 0.1
QUIET_STEADY_S = 0.02
_POLL_S = 0.01


class Activity(msgspec.Struct, frozen=True, rename="camel"):
    """What is under way in an isolate, or in several."""

    requests: int = 0
    total: int = 0  # requests since the start
    background: int = 0  # pending waitUntil
    web_sockets: int = 0  # accepted so far
    waiting: int = 0  # requests at the gate
    held: bool = True  # the gate is shut

    @property
    def idle(self) -> bool:
        """Nothing would be lost if the process stopped now."""
        return self.requests == 0 and self.background == 0

    @property
    def connections(self) -> int:
        """Connections of which it is known what they are busy with."""
        return self.requests + self.waiting + self.web_sockets

    def __add__(self, other: "Activity") -> "Activity":
        return Activity(
            requests=self.requests + other.requests,
            total=self.total + other.total,
            background=self.background + other.background,
            web_sockets=self.web_sockets + other.web_sockets,
            waiting=self.waiting + other.waiting,
            held=self.held and other.held,
        )


@dataclass(frozen=True, slots=True)
class Control:
    """The control sockets of all isolates of one process."""

    paths: tuple[Path, ...]

    async def status(self, within_s: float = ANSWER_TIMEOUT_S) -> Activity:
        """Return what is under way, summed.

        Raises:
            TimeoutError: an isolate does not answer: it is busy in a loop.
            OSError: the process is gone.
        """
        return await self._ask_all("/status", within_s)

    async def forward(self) -> Activity:
        """Have later requests passed to the successor."""
        return await self._ask_all("/forward")

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Keep new requests waiting while the context is open.

        It ends by the last byte of a request that is under way, which the engine
        still reads after SIGTERM: those who wait are answered as its last work.
        """
        async with AsyncExitStack() as stack:
            for path in self.paths:
                await stack.enter_async_context(_held(path))
            while not (await self.status()).held:
                await asyncio.sleep(_POLL_S)
            yield

    async def settled(self, expected: Callable[[], int] | None) -> Activity:
        """Return once all busy connections have come to the gate.

        `expected` counts those that the kernel has seen busy lately. It may not know;
        so where some have come, others may be slower: they get longer. None: they are
        the front's, which sends nothing more here, and only what is on its way counts.
        """
        last, steady_s = await self.status(), 0.0
        patience_s = QUIET_STEADY_S if expected is None else BUSY_STEADY_S
        while steady_s < (patience_s if last.waiting else QUIET_STEADY_S) or (
            expected is not None and last.connections < expected()
        ):
            await asyncio.sleep(_POLL_S)
            now = await self.status()
            steady_s = steady_s + _POLL_S if now.waiting == last.waiting else 0.0
            last = now
        return last

    async def counts(self, within_s: float = ANSWER_TIMEOUT_S) -> Sequence[Counts]:
        """Return what each isolate has counted.

        Raises:
            TimeoutError: an isolate does not answer: it is busy in a loop.
            OSError: the process is gone.
        """
        asking = (_ask(one, "/counts", within_s, b"") for one in self.paths)
        answers = await asyncio.gather(*asking)
        return [msgspec.json.decode(answer, type=Counts) for answer in answers]

    async def handlers(
        self, within_s: float = ANSWER_TIMEOUT_S
    ) -> Mapping[str, tuple[str, ...]]:
        """Return which events each export of the first isolate's Worker handles.

        Raises:
            TimeoutError: the isolate does not answer: it is busy in a loop.
            OSError: the process is gone.
        """
        answer = await _ask(self.paths[0], "/handlers", within_s, b"")
        return msgspec.json.decode(answer, type=dict[str, tuple[str, ...]])

    async def tell(self, path: str, body: bytes) -> Activity:
        """Send `body`; return what is under way."""
        return await self._ask_all(path, ANSWER_TIMEOUT_S, body)

    async def _ask_all(
        self, path: str, within_s: float = ANSWER_TIMEOUT_S, body: bytes = b""
    ) -> Activity:
        asking = (_ask(one, path, within_s, body) for one in self.paths)
        answers = await asyncio.gather(*asking)
        found = (msgspec.json.decode(answer, type=Activity) for answer in answers)
        return sum(found, start=Activity())


async def _ask(socket: Path, path: str, within_s: float, body: bytes) -> bytes:
    async with asyncio.timeout(within_s):
        reader, writer = await asyncio.open_unix_connection(socket)
        try:
            writer.write(_head(path, len(body)) + body)
            head = await reader.readuntil(b"\r\n\r\n")
            return await reader.readexactly(_content_length(head))
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError(f"{socket} closed") from error
        finally:
            writer.close()


@asynccontextmanager
async def _held(socket: Path) -> AsyncIterator[None]:
    """Send a request whose body's only byte comes when the context ends."""
    reader, writer = await asyncio.open_unix_connection(socket)
    try:
        writer.write(_head("/hold", 1))
        yield
        writer.write(b"\n")
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError(f"{socket} closed") from error
    finally:
        writer.close()


def _head(path: str, length: int) -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: edge", f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise OSError("the edge answered without a length")
