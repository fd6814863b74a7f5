"""Asks the edge module in an isolate over its private socket."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import msgspec

ANSWER_TIMEOUT_S = 1.0


class Activity(msgspec.Struct, frozen=True, rename="camel"):
    """What is under way in an isolate."""

    requests: int
    background: int
    web_sockets: int

    @property
    def idle(self) -> bool:
        """Nothing would be lost if the process stopped now."""
        return self.requests == 0 and self.background == 0


@dataclass(frozen=True, slots=True)
class Control:
    """The control sockets of all isolates of one process."""

    paths: tuple[Path, ...]

    async def status(self) -> Activity:
        """Return what is under way, summed.

        Raises:
            TimeoutError: an isolate does not answer: it is busy in a loop.
            OSError: the process is gone.
        """
        return await self._ask_all("/status")

    async def forward(self) -> Activity:
        """Have later requests passed to the successor."""
        return await self._ask_all("/forward")

    async def gate(self, ms: int) -> Activity:
        """Hold requests back for `ms`, so that none is read while it stops."""
        return await self._ask_all("/gate", str(ms))

    async def _ask_all(self, path: str, body: str = "") -> Activity:
        answers = await asyncio.gather(
            *(_ask(socket, path, body) for socket in self.paths)
        )
        return Activity(
            requests=sum(answer.requests for answer in answers),
            background=sum(answer.background for answer in answers),
            web_sockets=sum(answer.web_sockets for answer in answers),
        )


async def _ask(socket: Path, path: str, body: str) -> Activity:
    async with asyncio.timeout(ANSWER_TIMEOUT_S):
        reader, writer = await asyncio.open_unix_connection(socket)
        try:
            head = f"POST {path} HTTP/1.1\r\nHost: edge\r\nContent-Length: {len(body)}"
            writer.write(f"{head}\r\n\r\n{body}".encode())
            head_bytes = await reader.readuntil(b"\r\n\r\n")
            answer = await reader.readexactly(_content_length(head_bytes))
        finally:
            writer.close()
    return msgspec.json.decode(answer, type=Activity)


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise OSError("the edge answered without a length")
