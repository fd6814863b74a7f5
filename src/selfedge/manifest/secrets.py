"""Which local files give a Worker its secrets, in wrangler's order."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from selfedge.manifest.document import text_of
from selfedge.manifest.dotenv import expand, parse
from selfedge.types import Environ


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalValues:
    """Values from `.dev.vars` or `.env`, and every file that could have held some."""

    values: Mapping[str, str]
    files: Sequence[Path]


def load(
    root: Path, environment: str | None, *, environ: Environ, with_environ: bool
) -> LocalValues:
    """Return the local values for `environment`.

    `.dev.vars.NAME`, else `.dev.vars`, else all `.env` files, later ones winning, with
    `environ` over them if `with_environ`.

    Raises:
        ManifestError: a file is there but cannot be read.
    """
    dev_vars = [root / ".dev.vars"]
    dotenv = [root / ".env", root / ".env.local"]
    if environment:
        dev_vars.insert(0, root / f".dev.vars.{environment}")
        dotenv += [root / f".env.{environment}", root / f".env.{environment}.local"]
    values: dict[str, str] = {}
    found = next((file for file in dev_vars if os.path.isfile(file)), None)  # noqa: PTH113 - raises for no name
    if found:
        values = parse(text_of(found))
    elif environ.get("CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV", "").lower() != "false":
        values = _dotenv(dotenv, environ if with_environ else {})
    return LocalValues(values=values, files=(*dev_vars, *dotenv))


def includes_environ(environ: Environ) -> bool:
    """Return whether the user wants the process's environment among the values."""
    return environ.get("CLOUDFLARE_INCLUDE_PROCESS_ENV", "").lower() == "true"


def _dotenv(files: Sequence[Path], environ: Environ) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for file in files:
        if os.path.isfile(file):  # noqa: PTH113 - raises for no name
            pairs |= parse(text_of(file))
    return {**environ, **expand(pairs, environ)}
