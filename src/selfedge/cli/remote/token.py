"""`selfedge token`: who may call a node's API."""

from pathlib import Path
from typing import Any

import click

from selfedge.cli.remote import api, as_json, node_group, show, sure, table
from selfedge.client.api import segment

TOKENS = "/user/tokens"
_SCOPES = ("admin", "deploy", "read")


group = node_group("Tokens of a node's API.")


@group.command()
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice(_SCOPES),
    default="deploy",
    show_default=True,
    help="admin: all; deploy: no tokens and accounts; read: changes nothing.",
)
@click.option("--account", help="The only account that it may see. [default: all]")
@as_json
@click.pass_obj
def create(state: Path | None, /, *, as_json: bool, **asked: Any) -> None:
    """Make a token; it is shown only now."""
    made = api(state).call("POST", TOKENS, json=asked)
    if as_json:
        show(made)
        return
    click.echo(f"{made['name']} ({made['scope']}), shown only now:", err=True)
    click.echo(made["value"])


@group.command(name="list")
@as_json
@click.pass_obj
def list_tokens(state: Path | None, *, as_json: bool) -> None:
    """List the tokens, without what they are."""
    found = list(api(state).every(TOKENS, {"per_page": "1000"}))
    if as_json:
        show(found)
        return
    columns = ("id", "scope", "account", "issued_on", "name")
    rows = ([one[name] or "all" for name in columns] for one in found)
    table([name.upper() for name in columns], rows)


@group.command()
@click.argument("token_id", metavar="ID")
@sure
@click.pass_obj
def revoke(state: Path | None, *, token_id: str, force: bool) -> None:
    """End a token: it opens nothing from now on."""
    if not force:
        click.confirm(f"Revoke token {token_id}?", abort=True)
    api(state).call("DELETE", f"{TOKENS}/{segment(token_id)}")
    click.echo(f"Revoked {token_id}")
