"""`selfedge doctor`: whether this machine can run selfedge, and what to do if not."""

from collections.abc import Sequence
from pathlib import Path

import click

from selfedge.cli.remote import as_json, show, where

_MARKS = {"ok": ("ok  ", "green"), "warn": ("warn", "yellow"), "bad": ("bad ", "red")}


@click.command()
@click.option(
    "--port",
    "ports",
    multiple=True,
    type=click.IntRange(1, 65535),
    help="Ports that should be free. [default: 8787 and 8788]",
)
@where
@as_json
def command(ports: Sequence[int], state: Path | None, *, as_json: bool) -> int:
    """Check the machine, the engine, the models, ports, the disk, and a node."""
    from selfedge.node.diagnosis import diagnosed  # noqa: PLC0415 - it loads a lot

    found = list(diagnosed(state, ports))
    if as_json:
        show(
            {
                "well": all(one.state != "bad" for one in found),
                "checks": [
                    {
                        "check": one.check,
                        "state": one.state,
                        "found": one.found,
                        "remedy": one.remedy,
                    }
                    for one in found
                ],
            }
        )
    else:
        for one in found:
            mark, color = _MARKS[one.state]
            click.echo(f"{click.style(mark, fg=color)}  {one.check}: {one.found}")
            if one.remedy:
                click.echo(f"      {one.remedy}")
    return int(any(one.state == "bad" for one in found))
