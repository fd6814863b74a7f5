"""`selfedge account`: accounts of a node; they share nothing."""

from pathlib import Path
from typing import Any

import click

from selfedge.cli.remote import api, as_json, node_group, show, table
from selfedge.client.api import segment

ACCOUNTS = "/accounts"


group = node_group("Accounts of a node.")


@group.command()
@click.argument("name")
@click.option("--subdomain", help="In its Workers' host names. [default: of NAME]")
@as_json
@click.pass_obj
def create(
    state: Path | None, *, name: str, subdomain: str | None, as_json: bool
) -> None:
    """Make an account."""
    made = api(state).call(
        "POST", ACCOUNTS, json={"name": name, "subdomain": subdomain}
    )
    if as_json:
        show(made)
    else:
        click.echo(f"{made['id']}  {made['name']}")


@group.command(name="list")
@as_json
@click.pass_obj
def list_accounts(state: Path | None, *, as_json: bool) -> None:
    """List the accounts that the token may see."""
    found = list(api(state).every(ACCOUNTS, {"per_page": "1000"}))
    if as_json:
        show(found)
        return
    rows = ([one["id"], one["created_on"], one["name"]] for one in found)
    table(("ID", "CREATED", "NAME"), rows)


@group.command()
@click.argument("account", metavar="ID")
@click.option("--name", help="What it is called.")
@click.option("--subdomain", help="In its Workers' host names.")
@click.option(
    "--private-outbound/--public-outbound",
    "private_outbound",
    default=None,
    help="Let its Workers reach private addresses, or public ones only.",
)
@as_json
@click.pass_obj
def update(
    state: Path | None, /, *, account: str, as_json: bool, **changes: Any
) -> None:
    """Change an account."""
    given = {key: value for key, value in changes.items() if value is not None}
    path = f"{ACCOUNTS}/{segment(account)}"
    made = api(state).call("PATCH", path, json=given)
    if as_json:
        show(made)
        return
    reach = "private, too" if made["private_outbound"] else "public only"
    click.echo(f"{made['id']}  {made['name']}  outbound: {reach}")
