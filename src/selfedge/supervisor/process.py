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
from functools import partial
from pathlib import Path

from selfedge.errors import EngineError
from selfedge.supervisor.launch import Bounds, Launch
from selfedge.supervisor.sandbox import View, read_pid
from selfedge.supervisor.startup import ran_out_of_memory, rules_fault, said

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
        self._inside: _Inside | None = None  # the engine, where bwrap is our child
        self.stderr: deque[str] = deque(maxlen=_STDERR_LINES)
        self._hear = hear
        self._pumps = [
            asyncio.create_task(_pump(child.stdout, hear)),
            asyncio.create_task(_pump(child.stderr, self._warned)),
        ]

    @classmethod
    async def start(
        cls,
        launch: Launch,
        config: Path,
        sockets: Mapping[str, socket.socket],
        hear: Hear,
        view: View,
        bounds: Bounds,
    ) -> "EngineProcess":
        """Start the engine on `config` with `sockets` lent by name; return when ready.

        Raises:
            EngineError: it ended before it listened; its words are in the message.
        """
        reading, writing = os.pipe()
        info, told = os.pipe()
        try:
            command = launch.sandbox.enter(view, told) if launch.sandbox else []
            command += _command(launch.workerd, config, writing, sockets)
            child = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=_LINE_MAX_BYTES,
                pass_fds=[writing, told, *(lent.fileno() for lent in sockets.values())],
                preexec_fn=partial(_prepare, bounds),
                start_new_session=True,
            )
        finally:
            os.close(writing)
            os.close(told)
        process = cls(child, hear)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await process._meet(info, inside=launch.sandbox is not None)
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
        """The engine's process id."""
        return self._inside.pid if self._inside else self._child.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._child.returncode is None

    async def wait(self) -> int:
        """Return the exit code once it has ended (negative: a signal)."""
        code = await self._child.wait()
        if self._inside is not None:
            await self._inside.gone()
        await asyncio.wait(self._pumps, timeout=1)
        return code

    def finish(self) -> None:
        """Ask it to end after the responses that are under way."""
        self._signal(signal.SIGTERM)

    async def end_within(self, grace_s: float) -> None:
        """Wait for its end for at most `grace_s`, then end it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self.wait()
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

    async def _meet(self, info: int, *, inside: bool) -> None:
        """Learn which process is the engine."""
        if not inside:
            os.close(info)
            return
        self._inside = _Inside(await read_pid(info))

    @property
    def out_of_memory(self) -> bool:
        """Whether it ended, in its own words, for want of memory."""
        return ran_out_of_memory("\n".join(self.stderr))

    def _signal(self, number: signal.Signals) -> None:
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                if self._inside is not None:
                    self._inside.signal(number)
                else:
                    self._child.send_signal(number)


class _Inside:
    """The engine in a sandbox: our child's child, which a pidfd names for good."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._pidfd: int | None = os.pidfd_open(pid)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal.

        Raises:
            ProcessLookupError: it has ended.
        """
        if self._pidfd is not None:
            signal.pidfd_send_signal(self._pidfd, number)

    async def gone(self) -> None:
        """Return when it has ended, also if bwrap was killed before it."""
        if self._pidfd is None:
            return
        descriptor, self._pidfd = self._pidfd, None
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(descriptor, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)


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


def _command(
    workerd: Path, config: Path, control: int, sockets: Mapping[str, socket.socket]
) -> list[str]:
    command = [str(workerd), "serve", "--verbose", "--experimental"]
    command += ["-b", str(config), f"--control-fd={control}"]
    for name, lent in sockets.items():
        command += ["--socket-fd", f"{name}={lent.fileno()}"]
    return command


def _prepare(bounds: Bounds) -> None:
    """In the child: set bounds; have Linux end it when its parent dies, however."""
    bounds.set()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
