"""`selfedge status`: what runs on a node."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from selfedge.cli.remote import api, as_json, show, table, where

PATH = "/node/status"
MIB = 1024 * 1024


@click.command()
@where
@as_json
def command(state: Path | None, *, as_json: bool) -> None:
    """Show the processes of a node: what they run, and how much memory they have."""
    found = api(state).call("GET", PATH)
    if as_json:
        show(found)
        return
    click.echo(f"selfedge {found['version']}")
    rows = [_row(one) for one in found["processes"]]
    table(("PROCESS", "WORKERS", "STATE", "PID", "MEMORY", "RESTARTS"), rows)


def _row(one: Mapping[str, Any]) -> tuple[object, ...]:
    size = one.get("resident_bytes")
    return (
        one.get("kind"),
        ", ".join(one.get("scripts") or ()),
        one.get("state"),
        one.get("pid"),
        f"{size / MIB:.0f} MiB" if size else None,
        f"{one.get('restarts', 0)}",
    )
