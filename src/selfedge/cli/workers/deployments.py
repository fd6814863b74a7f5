"""`selfedge deployments` and `selfedge rollback`: what clients reached, and when."""

from pathlib import Path
from typing import Any

import click

from selfedge.cli.remote import api, show, sure, table
from selfedge.cli.workers import about_worker, script_path, worker_name
from selfedge.cli.workers.traffic import deployed
from selfedge.client.api import Api
from selfedge.errors import ApiError, UsageError

_SECRETS_CHANGED = 10220
_MESSAGE = "workers/message"


@click.group()
def group() -> None:
    """Deployments of a Worker."""


@group.command(name="list")
@about_worker
def list_deployments(*, as_json: bool, state: Path | None, **given: Any) -> None:
    """List the newest deployments."""
    found = _all(api(state), worker_name(**given))
    if as_json:
        show(found)
        return
    rows = [
        (
            one["created_on"],
            one["author_email"],
            _shares(one),
            one["annotations"].get(_MESSAGE),
        )
        for one in found
    ]
    table(("CREATED", "BY", "VERSIONS", "MESSAGE"), rows)


@group.command()
@about_worker
def status(*, as_json: bool, state: Path | None, **given: Any) -> None:
    """Show what clients reach now."""
    name = worker_name(**given)
    found = _all(api(state), name)
    if not found:
        raise UsageError(f"{name} was never deployed")
    if as_json:
        show(found[0])
        return
    click.echo(f"Deployed {found[0]['created_on']} by {found[0]['author_email']}")
    for one in found[0]["versions"]:
        click.echo(f"  {one['percentage']:g} %  {one['version_id']}")


@click.command()
@click.argument("version", required=False)
@about_worker
@click.option("--message", help="Why.")
@click.option("--yes", "sure", is_flag=True, help="Do not ask.")
@sure
def rollback(
    version: str | None,
    *,
    as_json: bool,
    state: Path | None,
    message: str | None,
    sure: bool,
    force: bool,
    **given: Any,
) -> None:
    """Send all clients to VERSION, or else to the one of the deployment before."""
    name, node = worker_name(**given), api(state)
    back = version or _before(node, name)
    asks = not (sure or force)
    if asks:
        click.confirm(f"Roll {name} back to {back}?", abort=True)
    shares = [{"version_id": back, "percentage": 100}]
    try:
        made = deployed(node, name, shares, message)
    except ApiError as error:
        if error.number != _SECRETS_CHANGED:
            raise
        click.echo(str(error), err=True)
        if asks:
            click.confirm("Roll back all the same?", abort=True)
        made = deployed(node, name, shares, message, force=True)
    if as_json:
        show(made)
    else:
        click.echo(f"{name} is back at {back}")


def _all(node: Api, name: str) -> list[Any]:
    found = node.call("GET", script_path(name, "/deployments"))
    return list(found["deployments"])


def _before(node: Api, name: str) -> str:
    """Return the version that had all traffic before the current deployment."""
    current, *earlier = _all(node, name) or [None]
    live = {one["version_id"] for one in current["versions"]} if current else set()
    for one in earlier:
        ids = {share["version_id"] for share in one["versions"]}
        if len(ids) == 1 and not ids & live:
            return str(ids.pop())
    raise UsageError(f"{name} has no earlier deployment to go back to; name a version")


def _shares(deployment: Any) -> str:
    return ", ".join(
        f"{one['version_id']} {one['percentage']:g} %" for one in deployment["versions"]
    )
