"""`selfedge ai`: which models there are, and their weights."""

import os

import click

from selfedge.settings import Settings, cache_dir


@click.group(name="ai")
def group() -> None:
    """Workers AI on this machine."""


@group.command()
@click.option("--task", help="Only models of this task, for example text-embeddings.")
@click.option("--installed", is_flag=True, help="Only models that answer right now.")
def models(*, task: str | None, installed: bool) -> None:
    """List the model ids, what serves each, and whether its weights are here."""
    from selfedge.bindings.ai.catalogue import load  # noqa: PLC0415
    from selfedge.bindings.ai.catalogue.listing import table  # noqa: PLC0415

    rows = table(load(), _settings())
    click.echo(f"{'MODEL':52} {'TASK':28} {'SERVED BY':22} STATE")
    for row in rows:
        if task in (None, row.task) and (not installed or row.ready):
            click.echo(f"{row.id:52} {row.task:28} {row.served_by:22} {row.state}")


@group.command()
def install() -> None:
    """Fetch the weights of the bundled models into the cache."""
    from selfedge.bindings.ai.weights.install import install as fetch  # noqa: PLC0415

    settings = _settings()
    fetch(settings, click.echo)
    click.echo(f"Models are in {settings.cache_dir / 'models'}")


def _settings() -> Settings:
    return Settings(cache_dir=cache_dir(os.environ))
