"""`selfedge versions`: uploads of a Worker, and which of them clients reach."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from selfedge.cli.remote import api, show, sure, table
from selfedge.cli.workers import about_worker, noted, script_path, worker_name
from selfedge.cli.workers.traffic import deployed, newest, parsed_shares
from selfedge.cli.workers.version_secrets import group as secret
from selfedge.client.api import segment
from selfedge.errors import UsageError

_MESSAGE = "workers/message"
_TAG = "workers/tag"


@click.group()
def group() -> None:
    """Versions of a Worker."""


@group.command()
@about_worker
@click.option("--var", "variables", multiple=True, metavar="NAME:VALUE")
@noted
@click.option("--keep-vars", is_flag=True, help="Keep variables that are not here.")
def upload(*, as_json: bool, state: Path | None, **given: Any) -> None:
    """Upload the project here; nobody reaches it yet."""
    from selfedge.cli.workers import project as at  # noqa: PLC0415 - bundles
    from selfedge.cli.workers.upload import pending  # noqa: PLC0415

    one = at.read_project(
        given["config"],
        given["name"],
        given["environment"],
        given["variables"],
        keep_vars=given["keep_vars"],
    )
    if not as_json:
        at.describe(one)
    node = api(state)
    before = at.existing(node, one.name)
    if before is None:
        raise UsageError(
            f"the node has no Worker {one.name}: run selfedge deploy first"
        )
    tag = before["default_environment"]["script"]["migration_tag"]
    if pending(one.manifest, tag) is not None:
        raise UsageError(
            f"{one.name} has Durable Object migrations that were not applied: they "
            "come with selfedge deploy"
        )
    notes = at.annotated(given["message"], given["tag"])
    done = at.sent(node, one, ("POST", "/versions"), notes, None, known=True)
    if as_json:
        show(done)
        return
    click.echo(f"Worker Version ID: {done['id']}")
    click.echo(f"To deploy it: selfedge versions deploy {done['id']}@100%")


@group.command(name="list")
@about_worker
def list_versions(*, as_json: bool, state: Path | None, **given: Any) -> None:
    """List the newest versions."""
    name = worker_name(**given)
    found = newest(api(state), name)
    if as_json:
        show(found)
        return
    rows = [
        (
            one["id"],
            one["metadata"]["created_on"],
            one["metadata"]["source"],
            one["metadata"]["author_email"],
            one["annotations"].get(_TAG),
            one["annotations"].get(_MESSAGE),
        )
        for one in found
    ]
    table(("VERSION", "CREATED", "SOURCE", "BY", "TAG", "MESSAGE"), rows)


@group.command()
@click.argument("version")
@about_worker
def view(version: str, *, as_json: bool, state: Path | None, **given: Any) -> None:
    """Show one version: its settings and bindings."""
    path = script_path(worker_name(**given), f"/versions/{segment(version)}")
    found = api(state).call("GET", path)
    if as_json:
        show(found)
        return
    runtime = found["resources"]["script_runtime"]
    rows = [
        ("version", found["id"]),
        ("created", found["metadata"]["created_on"]),
        ("by", found["metadata"]["author_email"]),
        ("tag", found["annotations"].get(_TAG)),
        ("message", found["annotations"].get(_MESSAGE)),
        ("compatibility date", runtime["compatibility_date"]),
        ("flags", ", ".join(runtime["compatibility_flags"])),
        *(
            (f"env.{one['name']}", one["type"])
            for one in found["resources"]["bindings"]
        ),
    ]
    for label, value in rows:
        click.echo(f"{label:20} {value or '-'}")


@group.command()
@click.argument("shares", nargs=-1, metavar="VERSION[@PERCENT]…")
@about_worker
@click.option("--message", help="A note that the deployment keeps.")
@click.option("--yes", "sure", is_flag=True, help="Do not ask.")
@sure
def deploy(
    shares: Sequence[str],
    *,
    as_json: bool,
    state: Path | None,
    message: str | None,
    sure: bool,
    force: bool,
    **given: Any,
) -> None:
    """Send clients to one version, or to two by percentages."""
    name, node = worker_name(**given), api(state)
    wanted = parsed_shares(shares) or [
        {"version_id": newest(node, name)[0]["id"], "percentage": 100.0}
    ]
    told = ", ".join(f"{one['version_id']} {one['percentage']:g} %" for one in wanted)
    if not (sure or force):
        click.confirm(f"Deploy {name}: {told}?", abort=True)
    made = deployed(node, name, wanted, message)
    if as_json:
        show(made)
    else:
        click.echo(f"Deployed {name}: {told}")


group.add_command(secret)
