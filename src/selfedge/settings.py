"""What the user of a node may choose, and where things are kept."""

import os
from dataclasses import dataclass
from pathlib import Path

from selfedge.types import Environ


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The choices that services see."""

    cache_dir: Path
    strict_models: bool = False
    project_file: Path | None = None  # the project's selfedge.toml, if there is one


def cache_dir(environ: Environ = os.environ) -> Path:
    """Return the per-user folder for engines, models and databases.

    `SELFEDGE_CACHE_DIR` wins, then `XDG_CACHE_HOME`, then `~/.cache`.
    """
    if chosen := environ.get("SELFEDGE_CACHE_DIR"):
        return Path(chosen)
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "selfedge"
