"""The catalog → what one process is to run."""

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from selfedge.binding import AnyBinding, Site, StaticFiles, Way
from selfedge.catalog.model import Account, Assets, Version
from selfedge.catalog.store import Catalog
from selfedge.compiler.graph import Part, part
from selfedge.compiler.process import Behind, Entrance, Placement, process_config
from selfedge.compiler.upload import script as compiled_upload
from selfedge.edge.dispatcher import dispatch_socket
from selfedge.errors import BuildError, ManifestError
from selfedge.manifest.compatibility import without_defaults
from selfedge.supervisor.partition import callees, deployed
from selfedge.supervisor.slot import Release

EdgeConfig = Mapping[str, object]

Unpack = Callable[[str, Assets], Awaitable[Path]]
"""(account, static files) → the folder that holds them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Land:
    """What is the same for all processes of a node."""

    bindings: Sequence[AnyBinding]
    objects: Path  # folder of all Durable Objects
    entrances: Path  # folder of the sockets at which processes reach each other
    front: str  # address at which the node answers for its own hosts
    served: Sequence[str]  # domains that the node answers for
    edge: EdgeConfig
    unpack: Unpack


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """A version of a script, as a part of a process."""

    script: str
    version: Version
    percentage: float
    first: bool  # of its script's versions: it owns the Durable Objects

    @property
    def name(self) -> str:
        """The name of its part and of its client socket."""
        return self.script if self.first else f"{self.script}@{self.version.id[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One process of Workers, before it has sockets."""

    runs: Sequence[Runs]
    parts: Sequence[Part]
    entrances: Mapping[Way, Path]
    dispatches: Mapping[str, Path]  # part → where it takes events

    @property
    def limits(self) -> Mapping[str, int]:
        """The numbers of the Worker that has the least."""
        own = [run.version.limits for run in self.runs if run.version.limits]
        keys = {key for one in own for key in one}
        return {key: min(one[key] for one in own if key in one) for key in keys}

    def release(self, land: Land, services: str, tailed: Sequence[str] = ()) -> Release:
        """Return the release; `services` is the address of the group's gate.

        `tailed` are the parts to which somebody listens.
        """
        ways = {
            _entrance_socket(way): (way, path) for way, path in self.entrances.items()
        }
        behind = Behind(
            clients={client_socket(run): run.name for run in self.runs},
            entrances=[
                Entrance(
                    socket=name,
                    service=way.script,
                    entrypoint=way.entrypoint,
                    props=way.props,
                )
                for name, (way, _) in ways.items()
            ],
        )
        placement = Placement(
            services=services,
            successor=services,  # never asked: a group behind a front forwards nothing
            scheme="http",
            edge=land.edge,
            behind=behind,
            tailed=tailed,
            dispatched=list(self.dispatches),
        )
        config = process_config(self.parts, placement)
        return Release(
            scripts=[item.name for item in self.parts],
            config=config,
            durable=any("disk" in service for service in config["services"]),
            clients=list(behind.clients),
            entrances={
                **{name: path for name, (_, path) in ways.items()},
                **{dispatch_socket(part): at for part, at in self.dispatches.items()},
            },
            called=bool(self.entrances),
            forwards=False,
            versions={run.name: (run.script, run.version.id) for run in self.runs},
        )


async def plan(
    catalog: Catalog, account: Account, runs: Sequence[Runs], land: Land
) -> Plan:
    """Return what a process with `runs` is made of.

    Raises:
        BuildError: a version cannot be compiled: a binding is wrong.
        StorageError: a file of the catalog is damaged.
    """
    scripts = frozenset(run.script for run in runs)
    parts = []
    for run in runs:
        statics = await _statics(account, run.version, land)
        site = _site(account, run, scripts, land, statics)
        try:
            parts.append(await _part(catalog, account, run, site, land.bindings))
        except ManifestError as error:
            raise BuildError(_plain(error)) from error
    return Plan(
        runs=runs,
        parts=parts,
        entrances=_entrances(catalog, account, runs, land),
        dispatches={
            run.name: dispatch_path(land.entrances, account.id, run.script)
            for run in runs
            if run.first and run.version.modules
        },
    )


def runs_of(account: Account, names: Iterable[str], catalog: Catalog) -> list[Runs]:
    """Return the deployed versions of the scripts `names`, the largest share first."""
    found = []
    for name in sorted(names):
        shares = sorted(
            account.scripts[name].deployments[0].versions,
            key=lambda share: -share.percentage,
        )
        for index, share in enumerate(shares):
            version = catalog.version(share.version_id)
            found.append(
                Runs(
                    script=name,
                    version=version,
                    percentage=share.percentage,
                    first=index == 0,
                )
            )
    return found


def entrance_path(land: Land, account: Account, way: Way) -> Path:
    """Return where other processes reach an entrypoint, also before it runs."""
    key = f"{account.id}/{way.script}/{way.entrypoint or ''}/{way.props}"
    return ways_of(land.entrances, account.id) / _digest(key, 20)


def dispatch_path(folder: Path, account: str, script: str) -> Path:
    """Return where a script takes events, also before it runs."""
    key = f"{account}/{script}"
    return ways_of(folder, account) / f"d{_digest(key, 19)}"


def ways_of(folder: Path, account: str) -> Path:
    """Return the folder of the sockets at which an account's processes meet."""
    return folder / _digest(account, 8)


def _digest(key: str, length: int) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:length]


async def _part(
    catalog: Catalog,
    account: Account,
    run: Runs,
    site: Site,
    bindings: Sequence[AnyBinding],
) -> Part:
    version = run.version
    digests = [module.sha256 for module in version.modules]
    if version.source_map:
        digests.append(version.source_map)
    contents = {digest: await catalog.blob(digest) for digest in digests}
    bound = tuple(_revealed(one, catalog) for one in version.bindings)
    revealed = msgspec.structs.replace(version, bindings=bound)
    known = account.scripts.get(run.script)
    history = known.migrations if known and run.first else ()
    uploaded = compiled_upload(revealed, run.name, history, contents, bindings)
    return part(uploaded, bindings, site)


async def _statics(
    account: Account, version: Version, land: Land
) -> StaticFiles | None:
    """Have the static files of a version on disk."""
    if version.assets is None:
        return None
    folder = await land.unpack(account.id, version.assets)
    config = version.assets.config
    return StaticFiles(
        folder=str(folder),
        headers=str(config.get("_headers") or ""),
        redirects=str(config.get("_redirects") or ""),
        has_code=bool(version.modules),
        compatibility_date=version.compatibility_date,
        compatibility_flags=without_defaults(
            version.compatibility_flags,
            compatibility_date=version.compatibility_date,
        ),
    )


def _site(
    account: Account,
    run: Runs,
    scripts: frozenset[str],
    land: Land,
    statics: StaticFiles | None,
) -> Site:
    version = run.version
    elsewhere = {
        way: f"unix:{entrance_path(land, account, way)}"
        for way in callees(version.bindings)
        if way.script not in scripts and way.script in account.scripts
    }
    return Site(
        account=account.id,
        worker=run.script,
        workers=scripts,
        objects=str(land.objects),
        service=run.name,
        hosts=run.first,
        elsewhere=elsewhere,
        front=land.front,
        served=land.served,
        private=account.private_outbound,
        version={
            "id": version.id,
            "tag": version.annotations.get("workers/tag", ""),
            "timestamp": version.created_on,
        },
        assets=statics,
    )


def _entrances(
    catalog: Catalog, account: Account, runs: Sequence[Runs], land: Land
) -> dict[Way, Path]:
    """Return the entrypoints of `runs` that Workers of other processes call."""
    own = {run.script: run.version for run in runs if run.first}
    found = {}
    for name, script in account.scripts.items():
        if name in own:
            continue
        for version in deployed(script, catalog.version):
            for way in callees(version.bindings):
                if way.script in own and _exports(own[way.script], way.entrypoint):
                    found[way] = entrance_path(land, account, way)
    return found


def _exports(version: Version, entrypoint: str | None) -> bool:
    return not version.exports or (entrypoint or "default") in version.exports


def _revealed(entry: Mapping[str, Any], catalog: Catalog) -> Mapping[str, Any]:
    if entry.get("type") != "secret_text":
        return entry
    return {**entry, "text": catalog.reveal(entry["secret"])}


def client_socket(run: Runs) -> str:
    """Return the name of the socket at which clients reach `run`."""
    return f"client:{run.name}"


def _entrance_socket(way: Way) -> str:
    suffix = f":{_digest(way.props, 8)}" if way.props else ""
    return f"entrance:{way.script}:{way.entrypoint or ''}{suffix}"


def _plain(error: ManifestError) -> str:
    """Return the message without a position: an upload has no lines."""
    return str(error).removeprefix(f"{error.position}: ")
