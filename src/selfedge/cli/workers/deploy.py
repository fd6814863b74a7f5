"""`selfedge deploy`: a project → a Worker that clients of a node reach."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from selfedge.bundle import Bundle
from selfedge.cli.remote import api, show
from selfedge.cli.workers import about_worker
from selfedge.cli.workers.project import (
    Project,
    annotated,
    describe,
    existing,
    read_project,
    sent,
)
from selfedge.cli.workers.queues import consumed
from selfedge.cli.workers.triggers import applied
from selfedge.cli.workers.upload import pending
from selfedge.errors import UsageError


@click.command()
@about_worker
@click.option("--var", "variables", multiple=True, metavar="NAME:VALUE")
@click.option("--message", help="A note that the deployment keeps.")
@click.option("--tag", help="A name that the version keeps.")
@click.option("--keep-vars", is_flag=True, help="Keep variables that are not here.")
@click.option("--dry-run", is_flag=True, help="Bundle, and call nobody.")
@click.option(
    "--outdir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the modules here, too.",
)
def command(
    *,
    as_json: bool,
    state: Path | None,
    dry_run: bool,
    outdir: Path | None,
    **given: Any,
) -> None:
    """Deploy the project here to a node: all its traffic goes to the new version."""
    began = time.monotonic()
    project = read_project(
        given["config"],
        given["name"],
        given["environment"],
        given["variables"],
        keep_vars=given["keep_vars"],
    )
    if outdir is not None and project.manifest.main is not None:
        _write(outdir, project.bundle)
    if not as_json:
        describe(project)
    if dry_run:
        click.echo("--dry-run: nothing was uploaded", err=as_json)
        return
    node = api(state)
    before = existing(node, project.name)
    at = before["default_environment"]["script"]["migration_tag"] if before else None
    done = sent(
        node,
        project,
        ("PUT", ""),
        annotated(given["message"], given["tag"]),
        pending(project.manifest, at),
        known=before is not None,
    )
    places = applied(node, project.name, project.told)
    queues: Any = project.manifest.tables.get("queues") or {}
    places = [*places, *consumed(node, project.name, queues)]
    if as_json:
        _print_json(project, done, places)
        return
    click.echo(f"Deployed {project.name} in {time.monotonic() - began:.2f} s")
    for place in places:
        click.echo(f"  {place}")
    click.echo(f"Current Version ID: {done['deployment_id']}")


def _print_json(
    project: Project, done: Mapping[str, Any], places: Sequence[str]
) -> None:
    show(
        {
            "name": project.name,
            "version_id": done["deployment_id"],
            "startup_time_ms": done["startup_time_ms"],
            "targets": list(places),
        }
    )


def _write(folder: Path, code: Bundle) -> None:
    try:
        for module in code.modules:
            place = folder / module.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(module.content)
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror}") from error
