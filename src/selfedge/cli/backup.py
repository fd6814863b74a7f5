"""`selfedge backup` and `selfedge restore`."""

from pathlib import Path

import click

from selfedge.errors import StorageError

_data = click.option(
    "--data-dir",
    "data",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The data directory of selfedge serve.",
)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_data
def backup(file: Path, data: Path) -> None:
    """Write all that a node keeps to FILE, also while it runs."""
    from selfedge.node.backup import backup as write  # noqa: PLC0415

    done = write(data.absolute(), file.absolute(), _warn)
    size = f"{done.size_bytes / 1024 / 1024:.1f} MiB"
    click.echo(f"{file}: {done.files} files, {size}. It holds secrets and their key.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@_data
def restore(file: Path, data: Path) -> None:
    """Make a new data directory of what `selfedge backup` wrote to FILE."""
    from selfedge.node.archive import read_archive  # noqa: PLC0415

    try:
        count = read_archive(file.absolute(), data.absolute())
    except OSError as error:
        raise StorageError(f"cannot restore to {data}: {error}.") from error
    click.echo(f"{data}: {count} files. Start it: selfedge serve --data-dir {data}")


def _warn(text: str) -> None:
    click.echo(f"warning: {text}", err=True)
