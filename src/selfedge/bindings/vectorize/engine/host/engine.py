"""The parent's side: starts a process for each shard, and speaks to it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO

from selfedge.bindings.vectorize.engine.contract import (
    Engine,
    EngineDied,
    EngineFailure,
    FieldType,
    Hit,
    Metric,
    Page,
    Search,
    Shard,
    Vector,
)
from selfedge.bindings.vectorize.engine.host import frames
from selfedge.bindings.vectorize.engine.host.frames import (
    AddField,
    Ask,
    Delete,
    Done,
    DropField,
    Failed,
    Find,
    Get,
    GetPage,
    Hits,
    Insert,
    Open,
    Reply,
    Simple,
    Upsert,
    Vectors,
)

CONNECTIONS = 6  # the writer, the readers of `service.py`, and one that copies
WAIT_S = 60.0  # for a connection: longer than any call but `optimize`
EXIT_S = 2.0
NICENESS = 10
_LOG_MAX_BYTES = 2000
_BY_OTHERS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)
_HINTS = {
    signal.SIGBUS: " The disk may be full.",
    signal.SIGKILL: " If nobody killed it on purpose, memory ran out.",
}


class HostedEngine:
    """Shards in child processes."""

    def __init__(
        self, *, niceness: int = 0, spawner: ThreadPoolExecutor | None = None
    ) -> None:
        self._niceness = niceness
        # A child is told to die with the thread that starts it: one that stays.
        self._spawner = spawner or ThreadPoolExecutor(1, "vectorize-spawner")

    def create(self, folder: Path, *, dimensions: int, metric: Metric) -> Shard:
        return self._open(Open(str(folder), dimensions, metric, make=True))

    def load(self, folder: Path, *, dimensions: int, metric: Metric) -> Shard:
        return self._open(Open(str(folder), dimensions, metric, make=False))

    def background(self) -> Engine:
        return HostedEngine(niceness=NICENESS, spawner=self._spawner)

    def close(self) -> None:
        self._spawner.shutdown()

    def _open(self, ask: Open) -> Shard:
        child = self._spawner.submit(_start, self._niceness).result()
        shard = HostedShard(child, self._spawner)
        try:
            shard.ask(ask)
        except BaseException:
            shard.end()
            raise
        return shard


@dataclass(frozen=True, slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    sockets: Sequence[socket.socket]
    log: IO[bytes]


def _start(niceness: int) -> _Child:
    try:
        with ExitStack() as opened, ExitStack() as given:
            pairs = [socket.socketpair() for _ in range(CONNECTIONS)]
            ours = [opened.enter_context(left) for left, _ in pairs]
            theirs = [given.enter_context(right) for _, right in pairs]
            log = opened.enter_context(tempfile.TemporaryFile())
            process = _process(niceness, [sock.fileno() for sock in theirs], log)
            opened.pop_all()  # the shard closes them
    except OSError as error:
        text = f"its process could not be started: {error}"
        raise EngineFailure(text, passing=True) from error
    return _Child(process, ours, log)


def _process(
    niceness: int, sockets: Sequence[int], log: IO[bytes]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            sys.executable,
            "-P",  # the user's folder holds no modules for us
            "-m",
            "selfedge.bindings.vectorize.engine.host",
            *map(str, (os.getpid(), niceness, *sockets)),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=log,
        pass_fds=sockets,
        start_new_session=True,  # Ctrl-C goes to the parent alone
    )


class HostedShard:
    """One process with one shard; calls may come from any thread."""

    def __init__(self, child: _Child, spawner: ThreadPoolExecutor) -> None:
        self._child = child
        self._spawner = spawner  # its thread must live as long as the child
        self._lost = False
        self._free: SimpleQueue[socket.socket] = SimpleQueue()
        for sock in child.sockets:
            self._free.put(sock)

    @property
    def pid(self) -> int:
        return self._child.process.pid

    @property
    def alive(self) -> bool:
        return not self._lost and self._child.process.poll() is None

    def insert(self, vectors: Sequence[Vector]) -> None:
        self.ask(Insert(list(map(frames.packed, vectors))))

    def upsert(self, vectors: Sequence[Vector]) -> None:
        self.ask(Upsert(list(map(frames.packed, vectors))))

    def delete(self, ids: Sequence[str]) -> None:
        self.ask(Delete(ids))

    def get(self, ids: Sequence[str]) -> Sequence[Vector]:
        return self._vectors(Get(ids)).vectors

    def search(self, searches: Sequence[Search]) -> Sequence[Sequence[Hit]]:
        reply = self.ask(Find(list(map(frames.sought, searches))))
        if not isinstance(reply, Hits):
            raise EngineFailure(f"its process gave no hits but {reply}")
        return [
            [Hit(frames.unpacked(vector), score) for vector, score in one]
            for one in reply.found
        ]

    def count(self) -> int:
        return self._number("count")

    def unsorted(self) -> int:
        return self._number("unsorted")

    def page(self, start: str | None, limit: int, *, whole: bool = False) -> Page:
        return self._vectors(GetPage(start, limit, whole))

    def add_field(self, field: str, kind: FieldType) -> None:
        self.ask(AddField(field, kind))

    def drop_field(self, field: str) -> None:
        self.ask(DropField(field))

    def optimize(self) -> None:
        self._number("optimize")

    def close(self) -> None:
        try:
            if self.alive:
                self._number("close")
        finally:
            self.end()

    def ask(self, ask: Ask) -> Reply:
        """Return the answer of the process.

        Raises:
            EngineFailure: it refused; EngineDied: it is gone.
        """
        if self._lost:
            raise EngineDied("its process has ended")
        try:
            sock = self._free.get(timeout=WAIT_S)
        except Empty:
            raise EngineFailure(f"it is busy for more than {WAIT_S:.0f} s") from None
        try:
            frames.send(sock, ask)
            reply = frames.REPLY.decode(frames.receive(sock))
        except OSError as error:
            self._lost = True
            raise self._obituary() from error
        finally:
            self._free.put(sock)
        if isinstance(reply, Failed):
            raise EngineFailure(reply.text, passing=reply.passing)
        return reply

    def end(self) -> None:
        """End the process; a call that still runs fails."""
        self._lost = True
        for sock in self._child.sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # wakes a thread that reads it
            sock.close()
        try:
            self._child.process.wait(EXIT_S)
        except subprocess.TimeoutExpired:
            self._child.process.kill()
            self._child.process.wait()
        self._child.log.close()

    def kill(self) -> None:
        """End it at once, also in the middle of a long call."""
        self._lost = True
        self._child.process.kill()

    def _number(self, call: str) -> int:
        reply = self.ask(Simple(call))
        return reply.number if isinstance(reply, Done) else 0

    def _vectors(self, ask: Ask) -> Page:
        reply = self.ask(ask)
        if not isinstance(reply, Vectors):
            raise EngineFailure(f"its process gave no vectors but {reply}")
        return Page(list(map(frames.unpacked, reply.vectors)), reply.following)

    def _obituary(self) -> EngineDied:
        """Make sure that the process is gone; tell what it died of."""
        try:
            code = self._child.process.wait(EXIT_S)
        except subprocess.TimeoutExpired:
            self._child.process.kill()
            code = self._child.process.wait()
        if code < 0:
            number = signal.Signals(-code)
            text = f"its process was killed by {number.name}.{_HINTS.get(number, '')}"
            return EngineDied(text, passing=number in _BY_OTHERS)
        text = f"its process ended with exit code {code}{self._last_words()}"
        return EngineDied(text, passing=True)  # a fault of the engine's is a signal

    def _last_words(self) -> str:
        with suppress(OSError, ValueError):
            size = self._child.log.seek(0, os.SEEK_END)
            self._child.log.seek(max(0, size - _LOG_MAX_BYTES))
            lines = self._child.log.read().decode(errors="replace").strip()
            if lines:
                return f" ({lines.splitlines()[-1]})"
        return ""
