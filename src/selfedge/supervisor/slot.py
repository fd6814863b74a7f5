"""A place for one engine process: its sockets, its config file, its end."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from selfedge.compiler.process import CLIENT_SOCKET, FORWARD_SOCKET, control_socket
from selfedge.supervisor.connections import active_connections
from selfedge.supervisor.control import Activity, Control
from selfedge.supervisor.door import Sockets
from selfedge.supervisor.launch import Launch
from selfedge.supervisor.process import EngineProcess, Hear
from selfedge.supervisor.sockets import Entrance, listen_unix
from selfedge.telemetry.counts import Counts
from selfedge.types import Struct

DRAIN_S = 30.0  # what a process without Durable Objects may take to finish
DURABLE_DRAIN_S = 1.0  # what one with Durable Objects may take: nobody serves them
KILL_AFTER_S = 1.0  # after SIGTERM, when only WebSockets keep it
CALLED_GRACE_S = 0.25  # of a process to which others keep connections open
CALLED_QUIET_S = 0.15  # without a call for so long, it will not be missed
CALLED_PATIENCE_S = 1.0  # the most that such a moment is waited for
SETTLE_S = 1.0  # the most that busy connections are given to come to the gate
LATELY_S = 0.25  # a connection that was used this long ago will soon be used again
TAKE_S = 0.5  # the most that is waited for what a process has counted
_POLL_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a process is to run."""

    scripts: Sequence[str]
    config: Struct
    durable: bool  # it owns Durable Objects: never beside another that does
    clients: Sequence[str] = (CLIENT_SOCKET,)  # sockets at which clients come in
    entrances: Mapping[str, Path] = field(default_factory=dict)
    """Sockets at which other processes come in, and where they look for them."""
    called: bool = False  # others keep RPC connections to it, which never end
    forwards: bool = True  # while it drains, it passes requests to its successor
    data_bytes: int | None = None  # what the kernel lets it have; None: any
    versions: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Part → the script and the id of the version that it is."""


Tally = Callable[[Release, str, Counts], None]
"""Takes what the isolate of a part has counted since the last time."""


class Slot:
    """Sockets that wait for clients, and the process that serves them."""

    def __init__(
        self,
        release: Release,
        clients: Sockets,
        base: Path,
        tally: Tally | None = None,
    ) -> None:
        self._tally = tally
        self._taken: Sequence[Counts] = ()
        self.release = release
        self.clients = clients
        self.process: EngineProcess | None = None
        self.hung = False  # it has not answered for a while
        self._folder = base.parent
        self._config = base.with_suffix(".config")
        self._paths: dict[str, Path] = {}
        if release.forwards:
            self._paths[FORWARD_SOCKET] = base.with_suffix(".forward")
        for index, script in enumerate(release.scripts):
            self._paths[control_socket(script)] = base.with_suffix(f".control{index}")
        self._private = {name: listen_unix(path) for name, path in self._paths.items()}
        self._entrances = {
            name: Entrance(path, base) for name, path in release.entrances.items()
        }
        self.control = Control(
            tuple(self._paths[control_socket(script)] for script in release.scripts)
        )

    @property
    def waiting_at(self) -> Sockets:
        """The sockets in which those wait who want something of the Workers."""
        return {
            **self.clients,
            **{name: way.socket for name, way in self._entrances.items()},
        }

    def admit(self) -> None:
        """Have other processes come here from now on."""
        for way in self._entrances.values():
            way.publish()

    async def start(self, launch: Launch, config: bytes, hear: Hear) -> None:
        """Start a process on the sockets; those who wait are served at once.

        Raises:
            EngineError: it did not start.
        """
        self._config.touch(mode=0o600)
        self._config.write_bytes(config)
        sockets = {**self.waiting_at, **self._private}
        self._taken = [Counts()] * len(self.release.scripts)
        try:
            self.process = await EngineProcess.start(
                launch,
                self._config,
                sockets,
                hear,
                launch.view(self.release.config, self._folder),
                launch.bounds(self.release.data_bytes),
            )
        finally:
            self._config.unlink(missing_ok=True)
        await self._count()

    async def take(self, within_s: float = TAKE_S) -> None:
        """Take what the process has counted, which is lost when it ends.

        One that is busy, or gone, keeps it.
        """
        process, found, tally = self.process, [], self._tally
        if tally is None or process is None or not process.running:
            return
        with contextlib.suppress(OSError, TimeoutError):
            found = list(await self.control.counts(within_s))
        if not found or self.process is not process:
            return
        before, self._taken = self._taken, found
        for part, now, last in zip(self.release.scripts, found, before, strict=True):
            tally(self.release, part, now - last)

    async def drain(self, predecessors: Collection[asyncio.Task[None]]) -> None:
        """Let the process finish while a successor serves, then stop it.

        It outlives `predecessors`: they may still forward requests to it.
        """
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                if self.release.forwards:
                    await self.control.forward()
                await self._idle()
        if predecessors:
            await asyncio.wait(predecessors)
        if self.release.called:
            with contextlib.suppress(OSError, TimeoutError):
                await self._uncalled()
            await self.kill()
        else:
            await self._stop(0, DRAIN_S)

    async def leave(self, within_s: float = DURABLE_DRAIN_S) -> None:
        """Stop the process soon, by default in a second: its successor waits for it.

        What arrives on kept connections is held back, so that what is under way
        ends soon; it is answered by this process after all, as its last work.
        """
        await self._stop(within_s, KILL_AFTER_S)

    async def kill(self) -> None:
        """End the process now."""
        if self.process is not None:
            await self.process.kill()

    @property
    def ended(self) -> bool:
        """Whether its process has ended by itself."""
        return self.process is not None and not self.process.running

    def close(self) -> None:
        """Remove the private sockets."""
        for way in self._entrances.values():
            way.close()
        for name, one in self._private.items():
            one.close()
            self._paths[name].unlink(missing_ok=True)

    async def _stop(self, idle_within_s: float, grace_s: float) -> None:
        """Shut the gate, wait for what is under way, SIGTERM, open the gate."""
        if self.process is None or not self.process.running:
            return
        activity = Activity()
        try:
            async with self.control.hold():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(idle_within_s):
                        await self._idle()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SETTLE_S):
                        activity = await self.control.settled(self._busy())
                await self.take()
                self.process.finish()
        except (OSError, TimeoutError):  # it is gone, or busy in a loop
            await self.process.kill()
        grace_s = CALLED_GRACE_S if self.release.called else _grace(activity, grace_s)
        await self.process.end_within(grace_s)

    def _busy(self) -> Callable[[], int] | None:
        """Return what counts the clients' connections that were busy lately.

        None where clients come through the front, which was told to go elsewhere.
        """
        ports = [
            one.getsockname()[1]
            for one in self.clients.values()
            if one.family != socket.AF_UNIX
        ]
        if self.process is None or not ports:
            return None
        pid, since = self.process.pid, time.monotonic() - LATELY_S
        return lambda: active_connections(pid, ports, time.monotonic() - since)

    async def _idle(self) -> None:
        while not (await self.control.status()).idle:
            await asyncio.sleep(_POLL_S)

    async def _uncalled(self) -> None:
        """Wait for a moment in which callers, who stay connected, will not notice.

        That is when none has called for a while; where they call all the time, it is
        any moment without a call under way.
        """
        await self.take()
        deadline = time.monotonic() + CALLED_PATIENCE_S
        last, since = await self.control.status(), time.monotonic()
        while not last.idle or time.monotonic() - since < CALLED_QUIET_S:
            await asyncio.sleep(_POLL_S)
            now = await self.control.status()
            if now.total != last.total or not now.idle:
                since = time.monotonic()
            last = now
            if last.idle and time.monotonic() > deadline:
                return

    async def _count(self) -> None:
        """Ask once, so that each isolate counts waitUntil from the first request."""
        with contextlib.suppress(OSError, TimeoutError):
            await self.control.status()


def _grace(activity: Activity, grace_s: float) -> float:
    """WebSockets never end by themselves: with one open, do not wait for long."""
    return KILL_AFTER_S if activity.web_sockets else grace_s
