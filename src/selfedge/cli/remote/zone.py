"""`selfedge zone`: domains that a node answers for."""

from pathlib import Path
from typing import Any

import click

from selfedge.cli.remote import api, as_json, node_group, show, sure, table
from selfedge.client.api import Api, segment
from selfedge.errors import UsageError

ZONES = "/zones"
_origin = click.option(
    "--origin", metavar="URL", help="Where requests go that no Worker answers."
)


group = node_group("Domains that a node answers for.")


@group.command()
@click.argument("name")
@_origin
@as_json
@click.pass_obj
def add(state: Path | None, *, name: str, origin: str | None, as_json: bool) -> None:
    """Accept the domain NAME; its Workers' routes say what they answer."""
    node = api(state)
    asked = {"name": name, "origin": origin, "account": {"id": node.account}}
    _told(node.call("POST", ZONES, json=asked), as_json=as_json)


@group.command()
@click.argument("zone", metavar="NAME")
@_origin
@as_json
@click.pass_obj
def update(state: Path | None, *, zone: str, origin: str | None, as_json: bool) -> None:
    """Give a domain another origin; without --origin it has none."""
    node = api(state)
    path = f"{ZONES}/{_id(node, zone)}"
    _told(node.call("PATCH", path, json={"origin": origin}), as_json=as_json)


@group.command(name="list")
@as_json
@click.pass_obj
def list_zones(state: Path | None, *, as_json: bool) -> None:
    """List the domains of the accounts that the token may see."""
    found = list(api(state).every(ZONES, {"per_page": "50"}))
    if as_json:
        show(found)
        return
    rows = (
        [one["name"], one["origin"], one["account"]["name"], one["id"]] for one in found
    )
    table(("NAME", "ORIGIN", "ACCOUNT", "ID"), rows)


@group.command()
@click.argument("zone", metavar="NAME")
@sure
@click.pass_obj
def remove(state: Path | None, *, zone: str, force: bool) -> None:
    """Answer no longer for a domain: its routes go, too."""
    node = api(state)
    zone_id = _id(node, zone)
    if not force:
        click.confirm(f"Remove {zone} and the routes in it?", abort=True)
    node.call("DELETE", f"{ZONES}/{zone_id}")
    click.echo(f"Removed {zone}")


def _id(node: Api, zone: str) -> str:
    """Return a zone's id, by its name or itself."""
    name = zone.rstrip(".").lower()
    for one in node.every(ZONES, {"per_page": "50"}):
        if name in {one["name"], one["id"]}:
            return segment(one["id"])
    raise UsageError(f"the node has no zone {zone}; selfedge zone list shows all")


def _told(zone: Any, *, as_json: bool) -> None:
    if as_json:
        show(zone)
        return
    behind = f", behind it {zone['origin']}" if zone["origin"] else ""
    click.echo(f"{zone['name']}{behind}")
