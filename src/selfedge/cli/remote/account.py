"""`selfedge account`: accounts of a node; they share nothing."""

from pathlib import Path

import click

from selfedge.cli.remote import api, as_json, show, table, where

ACCOUNTS = "/accounts"


@click.group()
@where
@click.pass_context
def group(context: click.Context, state: Path | None) -> None:
    """Accounts of a node."""
    context.obj = state


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
