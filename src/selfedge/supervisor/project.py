"""Wrangler files on disk → Workers, bundled and bound, ready to be released."""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from selfedge.binding import AnyBinding, Row, Site
from selfedge.bundle import Bundle, bundle
from selfedge.compiler.graph import Part, Script, part
from selfedge.errors import ManifestError
from selfedge.manifest.model import Manifest
from selfedge.manifest.reader import read
from selfedge.supervisor.statics import Statics, read_statics
from selfedge.types import Environ

ACCOUNT = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the user chose for a run; paths are absolute."""

    configs: Sequence[Path]
    environment: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    upstream: str | None = None
    addresses: Sequence[str] = ()  # HOST:PORT at which clients reach the first Worker
    objects: Path = Path()  # folder of all Durable Objects


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """All Workers of a run, as they were on disk at one moment."""

    parts: Sequence[Part]
    statics: Sequence[Statics] = ()

    @property
    def names(self) -> Sequence[str]:
        """The scripts' names; clients reach the first."""
        return [item.name for item in self.parts]

    @property
    def rows(self) -> Iterator[tuple[str, Row]]:
        """Each binding with the script that has it."""
        return ((item.name, row) for item in self.parts for row in item.rows)

    @property
    def warnings(self) -> Iterator[str]:
        """What a user should know but need not mend."""
        for item in self.parts:
            yield from item.script.manifest.warnings
            yield from item.script.bundle.warnings
        for one in self.statics:
            yield from one.warnings

    @property
    def files(self) -> frozenset[Path]:
        """All files that were read: a change of one makes another project."""
        return frozenset().union(
            *(item.script.manifest.files for item in self.parts),
            *(item.script.bundle.inputs for item in self.parts),
            *(one.read for one in self.statics),
        )


def read_manifests(
    choices: Choices, bindings: Sequence[AnyBinding], environ: Environ
) -> Sequence[Manifest]:
    """Read all wrangler files of the run.

    Raises:
        ManifestError: one is missing or wrong, or two Workers share a name.
    """
    tables = [binding.table for binding in bindings if binding.table]
    manifests = [
        read(
            path,
            environment=choices.environment,
            tables=tables,
            variables=choices.variables,
            environ=environ,
        )
        for path in choices.configs
    ]
    seen: dict[str, Manifest] = {}
    for manifest in manifests:
        if other := seen.get(manifest.name):
            raise ManifestError(
                f"two Workers have the name {manifest.name!r}: the other is "
                f"{other.path}; rename one of them",
                manifest.position(("name",)),
            )
        seen[manifest.name] = manifest
    return manifests


async def build(
    manifests: Sequence[Manifest],
    choices: Choices,
    bindings: Sequence[AnyBinding],
    esbuild: Path,
) -> Project:
    """Bundle and bind all Workers.

    Raises:
        BuildError: code does not bundle.
        ManifestError: a table is wrong.
    """
    bundles = await asyncio.gather(*(bundle(m, esbuild=esbuild) for m in manifests))
    workers = frozenset(manifest.name for manifest in manifests)
    statics = {m.name: found for m in manifests if (found := read_statics(m))}
    parts = [
        part(
            Script(manifest=manifest, bundle=code),
            bindings,
            _site(manifest, code, choices, workers, statics.get(manifest.name)),
        )
        for manifest, code in zip(manifests, bundles, strict=True)
    ]
    return Project(parts=parts, statics=list(statics.values()))


def _site(
    manifest: Manifest,
    code: Bundle,
    choices: Choices,
    workers: frozenset[str],
    statics: Statics | None,
) -> Site:
    return Site(
        account=ACCOUNT,
        worker=manifest.name,
        workers=workers,
        objects=str(choices.objects),
        secrets=manifest.secrets,
        version=_version(code),
        origins=choices.origins,
        upstream=choices.upstream,
        own_hosts=[*choices.addresses, *manifest.hosts],
        assets=statics.files if statics else None,
    )


def _version(code: Bundle) -> Mapping[str, str]:
    digest = hashlib.sha256(b"".join(m.content for m in code.modules)).hexdigest()
    parts = (digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32])
    now = datetime.now(UTC)
    return {"id": "-".join(parts), "tag": "", "timestamp": now.isoformat()}
