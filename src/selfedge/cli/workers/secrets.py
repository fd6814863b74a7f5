"""`selfedge secret`: values that a Worker sees and nobody is shown."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from selfedge.cli.remote import api, show, sure
from selfedge.cli.workers import NOT_FOUND, about_worker, script_path, worker_name
from selfedge.client.api import segment
from selfedge.errors import ApiError, UsageError

BATCH = 100
_TYPE = "secret_text"


@click.group()
def group() -> None:
    """Secrets of a Worker; each change is a new version, deployed at once."""


@group.command()
@click.argument("key")
@about_worker
def put(key: str, *, as_json: bool, state: Path | None, **given: Any) -> None:
    """Set KEY to what is typed, or to what comes by stdin."""
    name = worker_name(**given)
    secret = {"name": key, "text": typed(key), "type": _TYPE}
    _changed(state, "PUT", name, "/secrets", json=secret)
    if as_json:
        show({"name": key, "type": _TYPE})
    else:
        click.echo(f"{name} has the secret {key}")


@group.command(name="list")
@about_worker
def list_secrets(*, as_json: bool, state: Path | None, **given: Any) -> None:
    """List the names."""
    path = script_path(worker_name(**given), "/secrets")
    found = api(state).call("GET", path)
    if as_json:
        show(found)
        return
    for one in found:
        click.echo(one["name"])


@group.command()
@click.argument("key")
@about_worker
@sure
def delete(
    key: str, *, as_json: bool, state: Path | None, force: bool, **given: Any
) -> None:
    """Take KEY away."""
    name = worker_name(**given)
    if not force:
        click.confirm(f"Take the secret {key} from {name}?", abort=True)
    _changed(state, "DELETE", name, f"/secrets/{segment(key)}")
    if as_json:
        show({"name": key})
    else:
        click.echo(f"{name} has {key} no more")


@group.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@about_worker
def bulk(file: Path | None, *, as_json: bool, state: Path | None, **given: Any) -> None:
    """Set all of FILE or stdin: JSON {"KEY": "text" or null}, or lines KEY=text."""
    name = worker_name(**given)
    changes = read_changes(file)
    keys = list(changes)
    for start in range(0, len(keys), BATCH):
        part = {key: _secret(key, changes[key]) for key in keys[start : start + BATCH]}
        _changed(state, "PATCH", name, "/secrets-bulk", json={"secrets": part})
    if as_json:
        show({"names": keys})
    else:
        click.echo(f"{name}: {len(keys)} secrets changed")


def _changed(
    state: Path | None, method: str, name: str, rest: str, **options: Any
) -> None:
    try:
        api(state).call(method, script_path(name, rest), **options)
    except ApiError as error:
        if error.number in NOT_FOUND:
            raise UsageError(
                f"the node has no Worker {name}: run selfedge deploy first"
            ) from error
        raise


def typed(key: str) -> str:
    """Return the value of a secret: it is asked for, or comes by stdin."""
    if sys.stdin.isatty():
        return str(click.prompt(f"Value of {key}", hide_input=True))
    return sys.stdin.read().removesuffix("\n")


def read_changes(file: Path | None) -> dict[str, str | None]:
    """Return the secrets of a file, or of stdin; None takes one away.

    Raises:
        UsageError: it cannot be read, or holds something else than texts.
    """
    try:
        text = file.read_text() if file else sys.stdin.read()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}: {error}") from error
    if not text.lstrip().startswith("{"):
        return _lines(text)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file or 'stdin'} is not JSON: {error}") from error
    if not all(isinstance(value, str | None) for value in found.values()):
        raise UsageError("a secret is a text, or null to take it away")
    return dict(found)


def _lines(text: str) -> dict[str, str | None]:
    from selfedge.manifest.dotenv import parse  # noqa: PLC0415 - rarely needed

    return dict(parse(text))


def _secret(key: str, text: str | None) -> dict[str, str] | None:
    return None if text is None else {"name": key, "text": text, "type": _TYPE}
