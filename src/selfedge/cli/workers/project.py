"""A project on disk → an upload to a node."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import msgspec

from selfedge.api.codes import NO_ROUTE
from selfedge.bundle import Bundle, bundle
from selfedge.cli.progress import progress
from selfedge.cli.workers import NOT_FOUND, config_file, script_path
from selfedge.cli.workers import upload as made
from selfedge.cli.workers.assets import uploaded
from selfedge.cli.workers.provision import provisioned
from selfedge.client.api import Api, segment
from selfedge.errors import ApiError, ManifestError, UsageError
from selfedge.manifest.deployment import Deployment, read_deployment
from selfedge.manifest.model import Manifest
from selfedge.manifest.reader import parse_variables, read
from selfedge.settings import cache_dir
from selfedge.standard import BINDINGS
from selfedge.workerd.install import engine

_LARGE_BYTES = 1024 * 1024  # from here on an upload shows how far it is
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A Worker on disk, ready to be uploaded."""

    manifest: Manifest
    told: Deployment
    bundle: Bundle
    entries: Sequence[made.Entry]

    @property
    def name(self) -> str:
        """The Worker's name."""
        return self.manifest.name


def read_project(
    config: Path | None,
    name: str | None,
    environment: str | None,
    variables: Sequence[str],
    *,
    keep_vars: bool = False,
) -> Project:
    """Read and bundle the project here.

    Raises:
        UserError: its wrangler file or its code is wrong.
        NodeError: the bundler does not run.
    """
    file = config_file(config)
    manifest = read(
        file,
        environment=environment,
        tables={one.table for one in BINDINGS if one.table},
        variables=parse_variables(variables),
        local=False,
    )
    if name:
        manifest = replace(manifest, name=name)
    told = read_deployment(file, environment)
    if keep_vars:
        told = msgspec.structs.replace(told, keep_vars=True)
    try:
        entries = made.entries(manifest, BINDINGS)
    except msgspec.ValidationError as error:
        raise ManifestError(f"{file}: {error}") from error
    esbuild = engine(cache_dir(), os.environ, progress).esbuild
    environ = {"NODE_ENV": "production", **os.environ}
    code = asyncio.run(bundle(manifest, esbuild=esbuild, environ=environ))
    for warning in (*manifest.warnings, *code.warnings):
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    return Project(manifest=manifest, told=told, bundle=code, entries=entries)


def existing(node: Api, name: str) -> Mapping[str, Any] | None:
    """Return what a node says of a Worker; None when it has none of this name.

    Raises:
        ApiError: the node refuses to say.
    """
    try:
        path = f"/accounts/{{account}}/workers/services/{segment(name)}"
        return dict(node.call("GET", path))
    except ApiError as error:
        if error.number in NOT_FOUND:
            return None
        if error.number == NO_ROUTE:
            raise UsageError(
                "this node takes no Workers: it is one of selfedge dev. Name one of "
                "selfedge serve: selfedge login URL"
            ) from error
        raise


def sent(
    node: Api,
    project: Project,
    route: tuple[str, str],
    annotations: Mapping[str, str],
    migrations: Mapping[str, Any] | None,
    *,
    known: bool,
) -> Mapping[str, Any]:
    """Upload a project by `route`, a method and a path; return what became of it.

    Raises:
        ApiError: it does not start, or a binding cannot be.
    """
    there: Sequence[made.Entry] = ()
    if known:
        there = node.call("GET", script_path(project.name, "/settings"))["bindings"]
    entries = provisioned(node, project.name, project.entries, there)
    main = project.bundle.modules[0].name if project.manifest.main else None
    told = made.metadata(
        project.manifest, project.told, entries, annotations, main_module=main
    )
    assets: Any = project.manifest.tables.get("assets")
    if assets and assets.get("directory"):
        told["assets"] = uploaded(node, project.name, project.manifest.root, assets)
    if migrations is not None:
        told["migrations"] = migrations
    body, kind = made.form(told, project.bundle)
    method, rest = route
    answer = node.call(
        method,
        script_path(project.name, rest),
        query={"bindings_inherit": "strict", "excludeScript": "true"},
        body=_shown(body) if _is_large(body) else body,
        headers={"Content-Type": kind, "User-Agent": "selfedge"},
    )
    return dict(answer)


def annotated(message: str | None, tag: str | None) -> Mapping[str, str]:
    """Return the annotations that a person gave."""
    given = {"workers/message": message, "workers/tag": tag}
    return {name: text for name, text in given.items() if text is not None}


def describe(project: Project) -> None:
    """Say how large a project is, and what it is bound to."""
    if project.manifest.main is None:
        click.echo("Static files only")
    else:
        size, zipped = (one / 1024 for one in made.sizes(project.bundle))
        click.echo(f"Total upload: {size:.2f} KiB / gzip: {zipped:.2f} KiB")
    for entry in project.entries:
        click.secho(f"  env.{entry['name']}  {entry['type']}", dim=True)


def _is_large(body: bytes) -> bool:
    return len(body) >= _LARGE_BYTES and sys.stderr.isatty()


def _shown(body: bytes) -> Any:
    """Yield a body in parts, and show on the terminal how far it is."""
    with click.progressbar(length=len(body), label="upload", file=sys.stderr) as bar:
        for start in range(0, len(body), _CHUNK_BYTES):
            part = body[start : start + _CHUNK_BYTES]
            yield part
            bar.update(len(part))
