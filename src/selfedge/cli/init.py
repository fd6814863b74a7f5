"""`selfedge init`: a new project, written from one of the templates beside."""

import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import click

from selfedge.cli.progress import progress
from selfedge.errors import InstallError, UsageError
from selfedge.packages.npm import npm_ci

TEMPLATES = Path(__file__).with_name("templates")
NAME_MAX_CHARS = 63  # a label of a host name: Cloudflare serves NAME.….workers.dev

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_PLACE = "{{name}}"
_RENAMED = {"gitignore": ".gitignore"}  # as itself it would hide files of ours


@click.command()
@click.argument("directory", metavar="NAME", type=click.Path(path_type=Path))
@click.option(
    "--template",
    type=click.Choice(["hello", "hono-ai"]),
    default="hello",
    show_default=True,
    help="hello: one file. hono-ai: a chat with Hono, Workers AI and KV.",
)
def command(directory: Path, template: str) -> int:
    """Write a new project into the folder NAME, which is also the Worker's name."""
    target = Path(os.path.abspath(directory))  # noqa: PTH100 - keeps symlinks
    create(target, template, npm_ci)
    click.echo(f"{target.name} is ready. Next:")
    if target != Path.cwd():
        click.echo(f"  cd {shlex.quote(str(directory))}")
    click.echo("  selfedge dev")
    return 0


def create(target: Path, template: str, install: Callable[[Path], None]) -> None:
    """Write the project, and `install` its packages if it has any.

    Raises:
        UsageError: the name is bad, or the folder has something in it.
        InstallError: the packages could not be fetched; the project is there.
    """
    check_name(target.name)
    _check_free(target)
    try:
        write(TEMPLATES / template, target)
    except OSError as error:
        raise UsageError(
            f"cannot write {error.filename or target}: {error.strerror or error}."
        ) from error
    if (target / "package.json").exists():
        try:
            with progress("Fetching npm packages"):
                install(target)
        except InstallError as error:
            raise InstallError(
                f"{error}\nThe project is in {target}. "
                "It runs once its packages are there: `npm ci` in that folder."
            ) from error


def check_name(name: str) -> None:
    """Check that a Worker may have this name.

    Raises:
        UsageError: it may not.
    """
    if _NAME.fullmatch(name) and len(name) <= NAME_MAX_CHARS:
        return
    proposed = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    proposed = proposed[:NAME_MAX_CHARS].strip("-")
    hint = f": for example {proposed}" if proposed else ""
    raise UsageError(
        f"{name!r} cannot be a Worker's name. It has lowercase letters, digits and, "
        f"between them, dashes, at most {NAME_MAX_CHARS}{hint}."
    )


def write(template: Path, target: Path) -> None:
    """Copy `template` to `target`, the name of which is filled in."""
    for source in sorted(template.rglob("*")):
        if not source.is_file():
            continue
        place = target / source.relative_to(template)
        place = place.with_name(_RENAMED.get(place.name, place.name))
        place.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text("utf-8").replace(_PLACE, target.name)
        place.write_text(text, "utf-8")


def _check_free(target: Path) -> None:
    try:
        if not os.path.lexists(target) or not any(target.iterdir()):
            return
    except NotADirectoryError as error:
        raise UsageError(f"{target} is a file. Choose another name.") from error
    except OSError as error:
        raise UsageError(f"cannot read {target}: {error.strerror}.") from error
    raise UsageError(
        f"{target} is not empty, and nothing in it is overwritten. "
        "Choose another name, or empty it first."
    )
