"""`selfedge login`, `logout`, `env` and `whoami`."""

import os
import sys
from pathlib import Path

import click
import msgspec

from selfedge.cli.remote import address, as_json, show, table, where
from selfedge.client.address import Address, api_url, login_file, read, write_login
from selfedge.client.api import Api
from selfedge.errors import UsageError


@click.command()
@click.argument("url")
@click.option("--token", help="The token; else it is asked for, or read from stdin.")
@click.option("--account", default="", help="The account, if the token has several.")
def login(url: str, token: str | None, account: str) -> None:
    """Remember the node at URL: commands mean it where no other is named."""
    try:
        chosen = api_url(url)
    except ValueError as error:
        raise UsageError(
            f"URL must be one like https://node.example:8788, not {url!r}"
        ) from error
    given = token if token is not None else _asked()
    if not given:
        raise UsageError("the token is empty")
    found = Address(url=chosen, token=given, account=account)
    node = Api(found)
    node.call("GET", "/user/tokens/verify")
    shown = node.call("GET", "/accounts/{account}")
    file = write_login(msgspec.structs.replace(found, account=node.account), os.environ)
    click.echo(f"{chosen}, account {shown['name']}: kept in {file}")


@click.command()
def logout() -> None:
    """Forget the node of `selfedge login`, with its token."""
    file = login_file(os.environ)
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"cannot remove {file}: {error.strerror}") from error
    click.echo(f"{file} is gone")


@click.command()
@where
def env(state: Path | None) -> None:
    """Print lines for `eval` that point wrangler and the SDKs at the node."""
    found = read(state) if state is not None else None
    if found is not None and not found.token:
        found = _completed(found, state)
    else:
        found = address(state)
    account = found.account or Api(found).account
    lines = msgspec.structs.replace(found, account=account).exports()
    click.echo("\n".join(lines))


@click.command()
@where
@as_json
def whoami(state: Path | None, *, as_json: bool) -> None:
    """Show which node is meant, and what the token may see there."""
    found = address(state)
    node = Api(found)
    token = node.call("GET", "/user/tokens/verify")
    members = list(node.every("/memberships"))
    if as_json:
        show({"url": found.url, "token": token, "memberships": members})
        return
    click.echo(f"{found.url}, token {token['id']} ({token['status']})")
    accounts = [(one["account"], one["roles"]) for one in members]
    rows = [(one["id"], one["name"], ", ".join(roles)) for one, roles in accounts]
    table(("ACCOUNT", "NAME", "ROLE"), rows)


def _completed(found: Address, state: Path | None) -> Address:
    """Return the address with its token if that is known, else without."""
    try:
        return address(state)
    except UsageError:
        click.echo("# The token is known to whom it was shown, alone.", err=True)
        return found


def _asked() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Token", hide_input=True)).strip()
    return sys.stdin.readline().strip()
