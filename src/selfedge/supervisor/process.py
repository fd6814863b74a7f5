"""One engine process: start it, hear it, stop it."""

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from selfedge.errors import EngineError
from selfedge.supervisor.startup import rules_fault, said

START_TIMEOUT_S = 20.0
_PR_SET_PDEATHSIG = 1
_LINE_MAX_BYTES = 4 * 1024 * 1024
_STDERR_LINES = 30

Hear = Callable[[str], None]
"""Takes one line that the engine wrote to its log."""


class EngineProcess:
    """A running `workerd serve`."""

    def __init__(self, child: asyncio.subprocess.Process, hear: Hear) -> None:
        self._child = child
        self.stderr: deque[str] = deque(maxlen=_STDERR_LINES)
        self._hear = hear
        self._pumps = [
            asyncio.create_task(_pump(child.stdout, hear)),
            asyncio.create_task(_pump(child.stderr, self._warned)),
        ]

    @classmethod
    async def start(
        cls,
        workerd: Path,
        config: Path,
        sockets: Mapping[str, socket.socket],
        hear: Hear,
    ) -> "EngineProcess":
        """Start the engine on `config` with `sockets` lent by name; return when ready.

        Raises:
            EngineError: it ended before it listened; its words are in the message.
        """
        reading, writing = os.pipe()
        try:
            command = [str(workerd), "serve", "--verbose", "--experimental"]
            command += ["-b", str(config), f"--control-fd={writing}"]
            for name, lent in sockets.items():
                command += ["--socket-fd", f"{name}={lent.fileno()}"]
            child = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=_LINE_MAX_BYTES,
                pass_fds=[writing, *(lent.fileno() for lent in sockets.values())],
                preexec_fn=_die_with_parent,
                start_new_session=True,
            )
        finally:
            os.close(writing)
        process = cls(child, hear)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await _ready(reading, set(sockets))
        except (TimeoutError, EOFError) as error:
            await process.kill()
            raise EngineError(process.last_words()) from error
        except BaseException:
            await process.kill()
            raise
        return process

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._child.returncode is None

    async def wait(self) -> int:
        """Return the exit code once it has ended (negative: a signal)."""
        code = await self._child.wait()
        await asyncio.wait(self._pumps, timeout=1)
        return code

    def finish(self) -> None:
        """Ask it to end after the responses that are under way."""
        self._signal(signal.SIGTERM)

    async def end_within(self, grace_s: float) -> None:
        """Wait for its end for at most `grace_s`, then end it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._child.wait()
        await self.kill()

    async def kill(self) -> None:
        """End it now, if it has not ended."""
        self._signal(signal.SIGKILL)
        await self.wait()

    def last_words(self) -> str:
        """Return what it wrote to stderr, for a person."""
        return said(self.stderr) or "the engine ended without a word"

    def _warned(self, line: str) -> None:
        self.stderr.append(line)
        if (warning := rules_fault(line)) is not None:
            self._hear(warning)

    def _signal(self, number: signal.Signals) -> None:
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                self._child.send_signal(number)


async def _pump(stream: asyncio.StreamReader | None, hear: Hear) -> None:
    if stream is None:
        return
    while True:
        try:
            line = await stream.readline()
        except ValueError:  # longer than the limit: dropped
            continue
        if not line:
            return
        hear(line.decode(errors="replace").rstrip("\n"))


async def _ready(control_fd: int, awaited: set[str]) -> None:
    """Read {"event":"listen","socket":NAME} lines until all have come.

    Raises:
        EOFError: the engine closed the pipe first.
    """
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(control_fd, "rb")
    )
    try:
        while awaited:
            line = await reader.readline()
            if not line:
                raise EOFError
            event = json.loads(line)
            if event.get("event") == "listen":
                awaited.discard(event.get("socket"))
    finally:
        transport.close()


def _die_with_parent() -> None:
    """Ask Linux to end this child when its parent dies, however that happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
