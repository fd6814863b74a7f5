"""All groups of Workers of a node: runs what the catalog says."""

import asyncio
import itertools
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from msgspec.structs import replace as with_fields

from selfedge.catalog.model import Account, ScriptState, Seen, Version
from selfedge.catalog.store import Catalog
from selfedge.errors import BuildError, EngineError, SelfedgeError
from selfedge.front.table import Running, Script, origins, served, table
from selfedge.supervisor.discard import discard
from selfedge.supervisor.front import Front
from selfedge.supervisor.member import Gate, Grounds, Member, make_disks
from selfedge.supervisor.partition import callees, foreign_owners, groups
from selfedge.supervisor.plan import Land, Runs, plan, runs_of
from selfedge.supervisor.trial import start_aside
from selfedge.supervisor.usage import private_bytes, usage
from selfedge.supervisor.warden import End

Gates = Callable[[str], Awaitable[Gate]]
"""account → a new gate to its services."""

_USUAL = {"http": 80, "https": 443}


class Fleet:
    """Knows which group runs where; one change at a time in each account."""

    def __init__(
        self,
        catalog: Catalog,
        front: Front,
        land: Callable[[Sequence[str]], Land],
        grounds: Grounds,
        gates: Gates,
        domain: str,
        listener: tuple[str, int],  # scheme and port at which clients are told to ask
    ) -> None:
        self._catalog = catalog
        self._front = front
        self._make_land = land
        self._grounds = grounds
        self._gates = gates
        self._domain = domain
        self._listener = listener
        self._members: dict[Script, Member] = {}
        self._numbers = itertools.count(1)
        self._locks: dict[str, asyncio.Lock] = {}
        self._pushing = asyncio.Lock()
        self._served = served(catalog.state, domain)

    async def start(self) -> None:
        """Have all deployed Workers ready to be woken."""
        for account in self._catalog.state.accounts.values():
            for names in groups(account, self._catalog.version):
                try:
                    await self._run(account, names, asleep=True)
                except SelfedgeError as error:
                    self._grounds.notice(f"{', '.join(names)} cannot run: {error}")

    async def stop(self) -> None:
        """Stop all groups."""
        members = set(self._members.values())
        self._members.clear()
        await asyncio.gather(*(member.stop() for member in members))

    async def check(self, account: str, script: ScriptState, version: Version) -> Seen:
        """Start `version` of `script` aside and stop it; return what was seen of it.

        Raises:
            BuildError: it does not start, with the engine's words.
        """
        known = self._catalog.state.accounts[account]
        state = with_fields(known, scripts={**known.scripts, script.name: script})
        runs = [Runs(script=script.name, version=version, percentage=100, first=True)]
        joined = _joined(state, script.name, version)
        runs += [run for run in runs_of(state, joined, self._catalog) if run.first]
        with tempfile.TemporaryDirectory(dir=self._grounds.run_dir, prefix="t") as name:
            folder = Path(name)
            land = replace(self._land(), objects=folder / "o", entrances=folder)
            made = await plan(self._catalog, state, runs, land)
            release = made.release(land, f"unix:{folder}/services")
            make_disks(release)
            grounds = self._grounds
            try:
                return await start_aside(
                    release, made.parts, folder, grounds.launch, grounds.encode
                )
            except EngineError as error:
                raise BuildError(str(error)) from error

    async def apply(self, account: str, script: str) -> None:
        """Bring what runs in line with the catalog; return when clients reach it.

        Raises:
            EngineError: it does not start; what ran before goes on where it can.
        """
        async with self._locks.setdefault(account, asyncio.Lock()):
            state = self._catalog.state.accounts.get(account)
            sets = groups(state, self._catalog.version) if state else []
            wanted = next((names for names in sets if script in names), frozenset())
            await self._retire(account, wanted | {script}, keep=wanted)
            if state and wanted:
                await self._open_ways(state, wanted, sets)
                await self._run(state, wanted)
        await self.route()

    async def forget(self, account: str, script: str) -> None:
        """Remove what the Durable Objects of a Worker that is gone have stored."""
        async with self._locks.setdefault(account, asyncio.Lock()):
            state = self._catalog.state.accounts.get(account)
            if state and script in state.scripts:  # deployed again in the meantime
                return
            folder = self._land().objects / account / script
            try:
                await asyncio.to_thread(discard, folder)
            except OSError as error:
                self._grounds.notice(f"{folder} cannot be removed: {error.strerror}.")

    async def attach(self, account: str, script: str) -> None:
        """Have a Worker report its invocations if, and only if, somebody listens."""
        async with self._locks.setdefault(account, asyncio.Lock()):
            member = self._members.get((account, script))
            known = self._catalog.state.accounts.get(account)
            if member is not None and known is not None and not member.tells:
                await self._run(known, member.names, asleep=member.pid is None)

    async def route(self) -> None:
        """Send clients where the catalog's routes, domains and zones say.

        Workers learn of new zones by a release: they know which hosts are the node's.
        """
        known = served(self._catalog.state, self._domain)
        if known != self._served:
            self._served = known
            await self._again_all()
        async with self._pushing:
            await self._front.lead(self.table(), origins(self._catalog.state))

    async def push(self) -> None:
        """Tell the front where the groups are now."""
        async with self._pushing:
            await self._front.tell(self.table())

    def table(self) -> Mapping[str, object]:
        """Return what the front needs to know."""
        running: dict[Script, list[Running]] = {}
        for account, member in {
            (key[0], member) for key, member in self._members.items()
        }:
            for script, shares in member.running().items():
                running[account, script] = shares
        return table(self._catalog.state, running, self._domain)

    def url(self, account: str, script: str) -> str:
        """Return where clients reach a Worker by its name."""
        scheme, port = self._listener
        subdomain = self._catalog.state.accounts[account].subdomain
        shown = "" if port == _USUAL[scheme] else f":{port}"
        return f"{scheme}://{script}.{subdomain}.{self._domain}{shown}"

    async def end_of(self, account: str, script: str) -> tuple[End | None, float]:
        """Return how a Worker's process ended last, and when to ask again."""
        member = self._members.get((account, script))
        warden = member.warden if member else None
        return await warden.verdict() if warden else (None, 1.0)

    def member(self, account: str, script: str) -> Member | None:
        """Return the group in which a script runs."""
        return self._members.get((account, script))

    async def take(self) -> None:
        """Have the ledger know what all processes have counted."""
        await asyncio.gather(*(one.take() for one in set(self._members.values())))

    def report(self) -> Sequence[Mapping[str, object]]:
        """Return one entry per process."""
        entries = [_entry("front", "", ["front"], self._front.pid, 0)]
        seen = {(key[0], member) for key, member in self._members.items()}
        for account, member in sorted(seen, key=lambda one: sorted(one[1].names)):
            restarts = member.warden.restarts if member.warden else 0
            names = sorted(member.names)
            entries.append(_entry("group", account, names, member.pid, restarts))
        return entries

    async def _retire(
        self, account: str, names: frozenset[str], keep: frozenset[str]
    ) -> None:
        """Stop the groups that hold any of `names`, but for the group `keep`."""
        members = {self._members.get((account, name)) for name in names}
        for member in members:
            if member is not None and member.names != keep:
                for name in member.names:
                    self._members.pop((account, name), None)
                await self.push()
                await member.stop()
                left = member.names - names
                for other in left:  # they were joined, and are no longer
                    await self._again(account, other)

    async def _again(self, account: str, script: str) -> None:
        state = self._catalog.state.accounts[account]
        for names in groups(state, self._catalog.version):
            if script in names and (account, script) not in self._members:
                await self._run(state, names)

    async def _again_all(self) -> None:
        """Release every group as it is in the catalog."""
        for name in list(self._catalog.state.accounts):
            async with self._locks.setdefault(name, asyncio.Lock()):
                account = self._catalog.state.accounts.get(name)
                for names in groups(account, self._catalog.version) if account else ():
                    member = self._members.get((name, next(iter(names))))
                    if account and member is not None and member.names == names:
                        await self._run(account, names, asleep=member.pid is None)

    async def _open_ways(
        self, account: Account, wanted: frozenset[str], sets: Sequence[frozenset[str]]
    ) -> None:
        """Have the Workers that `wanted` call open their doors to other processes."""
        for run in runs_of(account, wanted, self._catalog):
            for way in callees(run.version.bindings):
                member = self._members.get((account.id, way.script))
                if member is None or way.script in wanted:
                    continue
                open_ways = member.plan.entrances if member.plan else {}
                if way not in open_ways:
                    await self._run(account, next(s for s in sets if way.script in s))

    async def _run(
        self, account: Account, names: frozenset[str], *, asleep: bool = False
    ) -> None:
        runs = runs_of(account, names, self._catalog)
        land = self._land()
        made = await plan(self._catalog, account, runs, land)
        member = self._members.get((account.id, next(iter(names))))
        if member is None:
            member = await self._member(account, names)
        await member.run(made, land, asleep=asleep)

    async def _member(self, account: Account, names: frozenset[str]) -> Member:
        gate = await self._gates(account.id)
        folder = self._grounds.run_dir / f"g{next(self._numbers)}"
        member = Member(account.id, names, folder, gate, self._grounds)
        await member.listen()
        for name in names:
            self._members[account.id, name] = member
        return member

    def _land(self) -> Land:
        return self._make_land(served(self._catalog.state, self._domain))


def _joined(account: Account, script: str, version: Version) -> frozenset[str]:
    """Return the deployed Workers whose Durable Objects `version` uses."""
    return frozenset(
        owner
        for owner in foreign_owners(version.bindings, script)
        if owner in account.scripts and account.scripts[owner].deployments
    )


def _entry(
    kind: str, account: str, scripts: Sequence[str], pid: int | None, restarts: int
) -> Mapping[str, object]:
    used = usage(pid) if pid else None
    return {
        "kind": kind,
        "account": account,
        "scripts": list(scripts),
        "pid": pid,
        "state": "running" if pid else "asleep",
        "restarts": restarts,
        "resident_bytes": used.resident_bytes if used else 0,
        "private_bytes": private_bytes(pid) if pid else 0,
        "cpu_s": used.cpu_s if used else 0.0,
    }
