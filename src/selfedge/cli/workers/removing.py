"""`selfedge delete`: a Worker, with its versions, routes and secrets."""

from pathlib import Path
from typing import Any

import click

from selfedge.cli.remote import api, show, sure
from selfedge.cli.workers import about_worker, script_path, worker_name


@click.command()
@click.argument("worker", required=False)
@about_worker
@sure
def command(
    worker: str | None,
    *,
    as_json: bool,
    state: Path | None,
    force: bool,
    name: str | None,
    **given: Any,
) -> None:
    """Delete a Worker; -y also if others use it."""
    chosen = worker_name(worker or name, **given)
    if not force:
        click.confirm(f"Delete {chosen}, and all that is of it?", abort=True)
    query = {"force": "true"} if force else None
    api(state).call("DELETE", script_path(chosen), query=query)
    if as_json:
        show({"name": chosen})
    else:
        click.echo(f"Deleted {chosen}")
