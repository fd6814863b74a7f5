"""What commands share that are about one Worker of a node."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from selfedge.cli.remote import as_json, where
from selfedge.client.api import segment
from selfedge.errors import ManifestError, UsageError
from selfedge.manifest.reader import find, read

F = TypeVar("F", bound=Callable[..., Any])

SCRIPTS = "/accounts/{account}/workers/scripts"
NOT_FOUND = frozenset({10007, 10090})


def about_worker(command: F) -> F:
    """Add the options that say which Worker of which node is meant."""
    options = (
        click.option(
            "--name", help="The Worker's name. [default: the wrangler file's]"
        ),
        click.option(
            "--config",
            "-c",
            type=click.Path(path_type=Path, dir_okay=False),
            help="The wrangler file. [default: the one here or above]",
        ),
        click.option("--env", "-e", "environment", help="Its environment."),
        as_json,
        where,
    )
    for option in reversed(options):
        command = option(command)
    return command


def noted(command: F) -> F:
    """Add the options that a version keeps as annotations."""
    tagged = click.option("--tag", help="A name that the version keeps.")(command)
    return click.option("--message", help="A note that the version keeps.")(tagged)


def config_file(config: Path | None) -> Path:
    """Return the wrangler file that is meant.

    Raises:
        ManifestError: there is none.
    """
    return config.absolute() if config else find(Path.cwd())


def worker_name(name: str | None, config: Path | None, environment: str | None) -> str:
    """Return the name of the Worker that is meant.

    Raises:
        UsageError: no name is given, and no wrangler file is here.
    """
    if name:
        return name
    if config is None:
        try:
            config = find(Path.cwd())
        except ManifestError as error:
            raise UsageError(f"{error}; or name the Worker: --name NAME") from error
    return read(config, environment=environment, local=False).name


def script_path(name: str, rest: str = "") -> str:
    """Return the path of a Worker's route."""
    return f"{SCRIPTS}/{segment(name)}{rest}"
