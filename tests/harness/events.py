"""Stands where a process takes events, and remembers them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

WITHIN_S = 10.0


class Dispatcher:
    """Answers as our dispatcher Worker does; `answer` makes the outcomes.

    It returns (or is a coroutine that returns) an outcome, a text to break off after
    the event has begun, or None to break off before.
    """

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.events: list[dict[str, Any]] = []
        self.answer: Callable[[dict[str, Any]], Any] = lambda _: {"outcome": "ok"}
        self._heard = asyncio.Event()
        self._running = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Take events while the context is open."""
        server = await asyncio.start_unix_server(self._serve, self.socket)
        async with server:
            yield

    async def got(self, count: int) -> list[dict[str, Any]]:
        """Return all events once there are `count`."""
        async with asyncio.timeout(WITHIN_S):
            while len(self.events) < count:
                self._heard.clear()
                await self._heard.wait()
        return self.events

    async def idle(self) -> None:
        """Wait until every event was answered, and the answer taken."""
        async with asyncio.timeout(WITHIN_S):
            while self._running:
                await asyncio.sleep(0.005)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        size = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        body = await reader.readexactly(size)
        length = int.from_bytes(body[:4], "little")
        event = {**json.loads(body[4 : 4 + length]), "bodies": body[4 + length :]}
        self._running += 1
        self.events.append(event)
        self._heard.set()
        try:
            await self._reply(event, reader, writer)
        finally:
            self._running -= 1
            writer.close()

    async def _reply(
        self,
        event: dict[str, Any],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        answer = self.answer(event)
        if asyncio.iscoroutine(answer):
            gone = asyncio.create_task(reader.read())
            working = asyncio.create_task(answer)
            await asyncio.wait({gone, working}, return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
            if not working.done():
                working.cancel()
                return
            answer = working.result()
        if answer is not None:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n1\r\n\n\r\n")
        if isinstance(answer, dict):
            raw = json.dumps(answer).encode()
            writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(raw), raw))
            await reader.read()
