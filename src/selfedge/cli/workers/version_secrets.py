"""`selfedge versions secret`: secrets of a version that nobody reaches yet."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from selfedge.cli.remote import api, show, sure
from selfedge.cli.workers import about_worker, noted, worker_name
from selfedge.cli.workers.secrets import read_changes, typed
from selfedge.cli.workers.traffic import newest
from selfedge.client.api import segment
from selfedge.errors import UsageError

_TYPE = "secret_text"


@click.group(name="secret")
def group() -> None:
    """Secrets: each change makes a version of the latest, which is not deployed."""


@group.command()
@click.argument("key")
@about_worker
@noted
def put(key: str, *, as_json: bool, state: Path | None, **given: Any) -> None:
    """Set KEY to what is typed, or to what comes by stdin."""
    _revised(state, given, {key: typed(key)}, as_json=as_json)


@group.command()
@click.argument("key")
@about_worker
@noted
@sure
def delete(
    key: str, *, as_json: bool, state: Path | None, force: bool, **given: Any
) -> None:
    """Take KEY away."""
    if not force:
        click.confirm(f"Take the secret {key} away?", abort=True)
    _revised(state, given, {key: None}, as_json=as_json)


@group.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@about_worker
@noted
def bulk(file: Path | None, *, as_json: bool, state: Path | None, **given: Any) -> None:
    """Set all of FILE or stdin, as `selfedge secret bulk` reads them."""
    _revised(state, given, read_changes(file), as_json=as_json)


@group.command(name="list")
@about_worker
def list_secrets(*, as_json: bool, state: Path | None, **given: Any) -> None:
    """List the names that the latest version has."""
    found = newest(api(state), worker_name(**given))
    if not found:
        raise UsageError("it has no versions")
    bindings = found[0]["resources"]["bindings"]
    names = [one["name"] for one in bindings if one["type"] == _TYPE]
    if as_json:
        show(names)
        return
    for name in names:
        click.echo(name)


def _revised(
    state: Path | None,
    given: Mapping[str, Any],
    changes: Mapping[str, str | None],
    *,
    as_json: bool,
) -> None:
    name = worker_name(given["name"], given["config"], given["environment"])
    notes = {"workers/message": given["message"], "workers/tag": given["tag"]}
    asked = {
        "env": {
            key: None if text is None else {"type": _TYPE, "text": text}
            for key, text in changes.items()
        },
        "annotations": {key: text for key, text in notes.items() if text is not None},
    }
    path = f"/accounts/{{account}}/workers/workers/{segment(name)}/versions/latest"
    headers = {"Content-Type": "application/merge-patch+json"}
    made = api(state).call("PATCH", path, json=asked, headers=headers)
    if as_json:
        show(made)
        return
    click.echo(f"Worker Version ID: {made['id']}")
    click.echo(f"To deploy it: selfedge versions deploy {made['id']}@100%")
