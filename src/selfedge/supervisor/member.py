"""One group of Workers of a node: its process, its gate, what it prints."""

import socket
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from selfedge.compiler.process import backends
from selfedge.front.table import Running
from selfedge.supervisor.console import Console, Print
from selfedge.supervisor.group import Encode, Group
from selfedge.supervisor.launch import Launch
from selfedge.supervisor.limits import Profile, data_bytes, heap_flags, limits_of
from selfedge.supervisor.plan import Land, Plan, client_socket, ways_of
from selfedge.supervisor.pool import Pool, Push, SlotDoor
from selfedge.supervisor.remapper import Remapper
from selfedge.supervisor.slot import Release
from selfedge.supervisor.sockets import listen_unix
from selfedge.supervisor.warden import End, Terms, Warden
from selfedge.supervisor.watchdog import Start
from selfedge.telemetry.counts import Counts
from selfedge.telemetry.event import ended
from selfedge.telemetry.hub import Hub
from selfedge.telemetry.ledger import Ledger
from selfedge.types import Notice

DRAIN_S = 5.0  # for what Workers do after their responses


class Gate(Protocol):
    """A group's way to the services of bindings."""

    async def allow(self, identities: Iterable[str]) -> None:
        """Let the group use these too."""

    async def listen(self, lent: socket.socket) -> None:
        """Answer on a listening unix socket."""

    async def close(self) -> None:
        """Answer no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What every group of a node stands on."""

    launch: Launch
    ways: Path  # folder of the sockets at which processes meet
    encode: Encode
    run_dir: Path
    pool: Pool
    push: Push
    log: Print
    notice: Notice
    profile: Profile
    idle_s: float | None
    hub: Hub
    ledger: Ledger


class Member:
    """A group of Workers."""

    def __init__(
        self,
        account: str,
        names: frozenset[str],
        folder: Path,
        gate: Gate,
        grounds: Grounds,
    ) -> None:
        folder.mkdir(mode=0o700)
        self._account = account
        self._tailed: Sequence[str] = ()
        self.names = names
        self.plan: Plan | None = None
        self._folder = folder
        self._gate = gate
        self._grounds = grounds
        self._door = SlotDoor(grounds.pool, grounds.push)
        self._remapper = Remapper()
        self.console = Console(grounds.log, self._remapper)
        self._objects: Sequence[Path] = ()
        self.warden: Warden | None = None
        ways = ways_of(grounds.ways, account)
        ways.mkdir(mode=0o700, exist_ok=True)
        self._group = Group(
            self._door,
            launch=replace(grounds.launch, shared=(*grounds.launch.shared, ways)),
            encode=grounds.encode,
            run_dir=folder,
            hear=self.console.hear,
            watchdog=self._watch,
            tally=self._count,
        )

    @property
    def _services(self) -> Path:
        return self._folder / "services"

    async def listen(self) -> None:
        """Open the group's gate."""
        await self._gate.listen(listen_unix(self._services))

    async def run(self, plan: Plan, land: Land, *, asleep: bool = False) -> None:
        """Put `plan` in place of what runs; `asleep`: it starts when asked for.

        Raises:
            EngineError: it does not start.
        """
        self._tailed = self._heard(plan)
        release = plan.release(land, f"unix:{self._services}", self._tailed)
        release = self._bounded(release, plan)
        await self._gate.allow(backends(plan.parts))
        self._objects = make_disks(release)
        before, self.plan = self.plan, plan
        self._remapper.use(plan.parts)
        start = self._group.prepare if asleep else self._group.release
        try:
            await start(partial(_fixed, release))
        except BaseException:
            self.plan = before
            raise

    def _bounded(self, release: Release, plan: Plan) -> Release:
        """Add what ends the process should the warden be late."""
        limits = limits_of(self._grounds.profile, plan.limits, len(plan.runs))
        config = {**release.config, "v8Flags": heap_flags(limits)}
        return replace(release, config=config, data_bytes=data_bytes(limits))

    @property
    def tells(self) -> bool:
        """Whether it reports just those Workers to which somebody listens."""
        return self.plan is None or self._tailed == self._heard(self.plan)

    async def take(self) -> None:
        """Have the ledger know what its processes have counted."""
        await self._group.take()

    async def stop(self) -> None:
        """Stop the process; its clients are led nowhere."""
        await self._group.stop(DRAIN_S)
        await self._gate.close()
        self._services.unlink(missing_ok=True)

    def running(self) -> dict[str, list[Running]]:
        """Return where the front finds each script."""
        found: dict[str, list[Running]] = {}
        for run in self.plan.runs if self.plan else ():
            if slot := self._door.current.get(client_socket(run)):
                share = Running(
                    slot=slot, version=run.version.id, percentage=run.percentage
                )
                found.setdefault(run.script, []).append(share)
        return found

    @property
    def pid(self) -> int | None:
        """The process id; None while it sleeps."""
        slot = self._group.current
        process = slot.process if slot else None
        return process.pid if process and process.running else None

    def version_of(self, part: str) -> str | None:
        """Return the id of the version that runs as `part`."""
        runs = self.plan.runs if self.plan else ()
        return next((run.version.id for run in runs if run.name == part), None)

    def _heard(self, plan: Plan) -> Sequence[str]:
        hub = self._grounds.hub
        return [run.name for run in plan.runs if hub.heard((self._account, run.script))]

    def _ended(self, end: End) -> None:
        """Count the end; tell those who listen that the process used too much."""
        for script in {run.script for run in self.plan.runs} if self.plan else ():
            self._grounds.ledger.ended(self._account, script, end.value)
        if end not in {End.EXCEEDED_CPU, End.EXCEEDED_MEMORY}:
            return
        for run in self.plan.runs if self.plan else ():
            now_ms = time.time() * 1000
            make = partial(ended, run.script, run.version.id, end.value, now_ms)
            self._grounds.hub.publish((self._account, run.script), make)

    def _count(self, release: Release, part: str, more: Counts) -> None:
        script, version = release.versions[part]
        self._grounds.ledger.add(self._account, script, version, more)

    def _watch(self, start: Start) -> Warden:
        self.warden = Warden(start, self._terms, self._grounds.notice, self._ended)
        return self.warden

    def _terms(self) -> Terms:
        plan, grounds = self.plan, self._grounds
        own = plan.limits if plan else {}
        isolates = len(plan.runs) if plan else 1
        return Terms(
            limits=limits_of(grounds.profile, own, isolates),
            idle_s=grounds.idle_s,
            objects=self._objects,
        )


def make_disks(release: Release) -> Sequence[Path]:
    """Make the folders that the engine writes to, as it does not; return them."""
    folders = [
        Path(service["disk"]["path"])
        for service in release.config["services"]
        if "disk" in service
    ]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    return folders


def _fixed(release: Release, successor: str) -> Release:
    del successor
    return release
