"""What commands share that call a node's API."""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from selfedge.client.address import Address, locate
from selfedge.client.api import Api

F = TypeVar("F", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
sure = click.option("--force", "-y", is_flag=True, help="Do not ask.")
where = click.option(
    "--data-dir",
    "--state-dir",
    "state",
    type=click.Path(path_type=Path),
    help="The data directory of the node that is meant.",
)


def node_group(about: str) -> click.Group:
    """Return a group of commands whose object is the node's directory, or None."""

    @click.group(help=about)
    @where
    @click.pass_context
    def group(context: click.Context, state: Path | None) -> None:
        context.obj = state

    return group


def address(state: Path | None) -> Address:
    """Return where the node is that a command means.

    Raises:
        UsageError: there is none.
    """
    return locate(Path.cwd(), os.environ, state)


def api(state: Path | None) -> Api:
    """Return the node of `selfedge serve` that a command means.

    Raises:
        UsageError: there is none.
    """
    return Api(locate(Path.cwd(), os.environ, state, dev=False))


def show(answer: object) -> None:
    """Print JSON."""
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print aligned columns; an empty cell is a dash."""
    cells = [head, *([str(cell or "-") for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(padded).rstrip())
