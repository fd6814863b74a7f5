"""`selfedge setup`."""

import os

import click

from selfedge.cli.progress import progress
from selfedge.settings import Settings, cache_dir


@click.command()
def command() -> int:
    """Fetch the engine and the AI models now, not at first use."""
    from selfedge.bindings.ai.weights.install import install  # noqa: PLC0415
    from selfedge.workerd.install import engine  # noqa: PLC0415

    cache = cache_dir()
    engine(cache, os.environ, progress)
    install(Settings(cache_dir=cache), click.echo)
    return 0
