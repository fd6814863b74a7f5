"""The service's side: starts the model host when it is needed, and speaks to it."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter, deque
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Self, TypeAlias

import msgspec

from selfedge.bindings.ai.errors import InferenceFailed, OverCapacity, from_code
from selfedge.bindings.ai.host.frames import (
    Call,
    Done,
    Failed,
    Told,
    pack,
    read_reply,
)
from selfedge.bindings.ai.host.models import Room
from selfedge.bindings.ai.jobs import Part
from selfedge.types import Notice

EXIT_S = 2.0
"""How long a host that was told to end may take before it is killed."""

LOG_LINES = 20
IDLE_CONNECTIONS = 16

QUEUE_CALLS = 256
"""Calls of one model that run or wait; a further one is refused."""

MEMORY_SHARE = 0.7
"""Of the machine's memory, for all models together."""

Connection: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_HINTS = {
    signal.SIGILL: " This processor lacks instructions that the library was built for "
    "(llama.cpp's wheel needs AVX2 and FMA).",
    signal.SIGKILL: " If nobody killed it on purpose, the machine ran out of memory.",
}


def budget_bytes() -> int:
    """Return how much memory models may take, on this machine or in its container."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")
        total = min(total, int(limit))
    return int(total * MEMORY_SHARE)


class ModelHost:
    """The model host, as far as the service is concerned: one call, many parts."""

    def __init__(
        self,
        *,
        threads: int = 1,
        room: Room | None = None,
        queue: int = QUEUE_CALLS,
        notice: Notice = lambda _line: None,
    ) -> None:
        self._room = room or Room(threads=threads, budget_bytes=budget_bytes())
        self._queue = queue
        self._notice = notice
        self._waiting: Counter[str] = Counter()  # calls by model
        self._child: _Child | None = None
        self._starting = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The child's process id, while it lives."""
        return self._child.pid if self._child and self._child.alive else None

    async def run(self, call: Call) -> AsyncGenerator[Part, None]:
        """Yield the parts of the answer; closing the generator cancels the call.

        Raises:
            AiError: the runner refused the job, or the host died.
        """
        model = call.source.location
        if self._waiting[model] >= self._queue:
            raise OverCapacity(
                "Capacity temporarily exceeded, please try again. "
                f"({self._queue} calls of this model are under way)"
            )
        self._waiting[model] += 1
        try:
            async with aclosing(self._run(call)) as parts:
                async for part in parts:
                    yield part
        finally:
            self._waiting[model] -= 1

    async def _run(self, call: Call) -> AsyncGenerator[Part, None]:
        child = await self._running()
        reader, writer = connection = await child.connect()
        ended = False
        try:
            writer.write(pack(call))
            while not ended:
                reply = await read_reply(reader)
                ended = isinstance(reply, Done | Failed)
                if isinstance(reply, Failed):
                    raise from_code(reply.internal_code, reply.text)
                if isinstance(reply, Told):
                    self._notice(reply.text)
                elif not isinstance(reply, Done):
                    yield reply
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            raise await child.obituary() from error
        finally:
            if ended:
                child.keep(connection)
            else:
                writer.close()

    async def close(self) -> None:
        """End the child; calls that still run fail."""
        async with self._starting:
            if self._child:
                await self._child.close()
                self._child = None

    async def _running(self) -> "_Child":
        async with self._starting:
            if self._child and not self._child.alive:
                await self._child.close()
                self._child = None
            if self._child is None:
                self._child = await _Child.start(self._room)
            return self._child


class _Child:
    """One process of the model host."""

    def __init__(self, process: Process, control: socket.socket) -> None:
        self._process = process
        self._control = control
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._logging = asyncio.create_task(self._read_log())
        self._idle: list[Connection] = []
        self._lost = False

    @classmethod
    async def start(cls, room: Room) -> Self:
        ours, theirs = socket.socketpair()
        number = theirs.fileno()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # the user's folder holds no modules for us
                "-m",
                "selfedge.bindings.ai.host",
                *(str(number), str(os.getpid()), msgspec.json.encode(room).decode()),
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=PIPE,
                pass_fds=(number,),
                start_new_session=True,  # Ctrl-C goes to the service alone
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return cls(process, ours)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None and not self._lost

    async def connect(self) -> Connection:
        """Return a connection on which no call runs."""
        if self._idle:
            return self._idle.pop()
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._control, [b"+"], [theirs.fileno()])
            except OSError as error:
                ours.close()
                raise await self.obituary() from error
        return await asyncio.open_unix_connection(sock=ours)

    def keep(self, connection: Connection) -> None:
        """Take back a connection whose call has ended."""
        if self.alive and len(self._idle) < IDLE_CONNECTIONS:
            self._idle.append(connection)
        else:
            connection[1].close()

    async def obituary(self) -> InferenceFailed:
        """Make sure that the process is gone; tell what it died of."""
        self._lost = True
        await self._end()
        code = self._process.returncode or 0
        if code < 0:
            name = signal.Signals(-code).name
            cause = f"was killed by {name}.{_HINTS.get(signal.Signals(-code), '')}"
        else:
            last = f" ({self._log[-1]})" if self._log else ""
            cause = f"ended with exit code {code}{last}."
        return InferenceFailed(
            f"The model host {cause} This call is lost; the next one starts a new host."
        )

    async def close(self) -> None:
        """End the process."""
        self._lost = True
        self._control.close()
        for _, writer in self._idle:
            writer.close()
        await self._end()
        await self._logging

    async def _end(self) -> None:
        try:
            async with asyncio.timeout(EXIT_S):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def _read_log(self) -> None:
        assert self._process.stderr  # noqa: S101 - we asked for the pipe
        async for line in self._process.stderr:
            self._log.append(line.decode(errors="replace").strip())
