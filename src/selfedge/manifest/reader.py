"""Finding and reading a wrangler file: the way into this room."""

import os
from collections.abc import Collection, Mapping, Sequence
from datetime import date, time
from pathlib import Path
from types import MappingProxyType

from selfedge.errors import ManifestError, UsageError
from selfedge.manifest.build import build, joined
from selfedge.manifest.compatibility import check_flags, checked_date
from selfedge.manifest.config import Config, convert
from selfedge.manifest.document import parse, plain, start_of
from selfedge.manifest.environment import Selection, select
from selfedge.manifest.keys import unsupported
from selfedge.manifest.mistake import dotted
from selfedge.manifest.model import Manifest
from selfedge.manifest.position import locate
from selfedge.manifest.routes import hosts
from selfedge.manifest.secrets import LocalValues, includes_environ, load
from selfedge.types import Environ

NAMES = ("wrangler.json", "wrangler.jsonc", "wrangler.toml")
ALWAYS = ("vars", "migrations")  # tables of every Manifest, whoever decodes them
_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_VALUES = LocalValues(values=_NOTHING, files=())


def find(directory: Path) -> Path:
    """Return the wrangler file of `directory`: in it, or in a folder above.

    Raises:
        ManifestError: there is none.
    """
    directory = Path(os.path.abspath(directory))  # noqa: PTH100 - keeps symlinks
    folders = (directory, *directory.parents)
    for name in NAMES:
        for folder in folders:
            if os.path.isfile(folder / name):  # noqa: PTH113 - raises for no name
                return folder / name
    raise ManifestError(
        f"There is no {', '.join(NAMES[:-1])} or {NAMES[-1]} in {directory} or "
        "above it; `selfedge init NAME` writes a project that has one"
    )


def parse_variables(options: Sequence[str]) -> dict[str, str]:
    """Return the pairs of options of the form `KEY:VALUE`.

    Raises:
        UsageError: one has no colon.
    """
    pairs = {}
    for option in options:
        key, colon, value = option.partition(":")
        if not colon or not key:
            raise UsageError(f"--var takes KEY:VALUE, not {option!r}")
        pairs[key] = value
    return pairs


def read(
    path: Path,
    *,
    environment: str | None = None,
    tables: Collection[str] = (),
    variables: Mapping[str, str] = _NOTHING,
    environ: Environ = _NOTHING,
    local: bool = True,
) -> Manifest:
    """Return what the wrangler file at `path` says for one environment.

    `tables` names the tables that bindings decode; `variables` (`--var`) win over all
    values in files; `environ` is the process's environment. `local` reads `.dev.vars`
    and `.env`, too: what is deployed has none of them.

    Raises:
        ManifestError: the file is missing, malformed or wrong.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 - keeps symlinks
    selection = select(parse(path), environment or None, path)
    config = convert(selection, path)
    where = selection.pointers
    left_out = unsupported(selection.values, where, tables)
    day, date_notes = checked_date(
        config.compatibility_date, path, where.get("compatibility_date", ())
    )
    check_flags(config.compatibility_flags, path, where.get("compatibility_flags", ()))
    _check_variables(selection, path)
    how, build_notes = build(config, path.parent)
    found = _NO_VALUES
    if local:
        found = _local(selection, config, environment, path, environ)
    carried = _carried(selection, tables, found.values, variables)
    return Manifest(
        path=path,
        environment=environment or None,
        name=selection.name,
        main=_main(selection, config, tables, path),
        compatibility_date=day,
        compatibility_flags=config.compatibility_flags,
        build=how,
        tables=carried,
        pointers={name: where.get(name, ()) for name in carried},
        secrets={k: v for k, v in found.values.items() if k not in variables},
        hosts=hosts(config),
        crons=config.triggers.crons,
        warnings=(
            *selection.warnings,
            *left_out,
            *_unused_events(config),
            *date_notes,
            *build_notes,
            *(_absent_secrets(config, {**found.values, **variables}) if local else ()),
        ),
        files=(path, *found.files),
    )


def _local(
    selection: Selection,
    config: Config,
    environment: str | None,
    path: Path,
    environ: Environ,
) -> LocalValues:
    """Return the local values; a table `secrets` limits them to the names it knows."""
    declared = config.secrets
    local = load(
        path.parent,
        environment,
        environ=environ,
        with_environ=declared is not None or includes_environ(environ),
    )
    if declared is None:
        return local
    names = {*declared.required, *_variables(selection)}
    values = {name: value for name, value in local.values.items() if name in names}
    return LocalValues(values=values, files=local.files)


def _carried(
    selection: Selection,
    tables: Collection[str],
    local: Mapping[str, str],
    variables: Mapping[str, str],
) -> dict[str, object]:
    """Return the tables for bindings; `vars` less the secrets, plus `variables`."""
    carried = {
        name: plain(value)
        for name, value in selection.values.items()
        if name in tables or name in ALWAYS
    }
    if "vars" in carried or variables:
        kept = {k: v for k, v in _variables(selection).items() if k not in local}
        carried["vars"] = {**kept, **variables}
    return carried


def _check_variables(selection: Selection, path: Path) -> None:
    """Refuse dates, which a Worker could not be given, as wrangler does."""
    found = selection.values.get("vars")
    for name, value in found.items() if isinstance(found, dict) else ():
        if isinstance(value, date | time):
            pointer = (*selection.pointers["vars"], name)
            raise ManifestError(
                f"`{dotted(pointer)}` must not be a date; put it in quotes",
                locate(path, pointer),
            )


def _variables(selection: Selection) -> dict[str, object]:
    found = plain(selection.values.get("vars", {}))
    return found if isinstance(found, dict) else {}


def _main(
    selection: Selection, config: Config, tables: Collection[str], path: Path
) -> Path | None:
    """Return the Worker's main file; None when it has assets alone."""
    if not config.main:
        if "assets" in selection.values and "assets" in tables:
            return None
        raise ManifestError(_without_main(selection), start_of(path))
    main = joined(path.parent, config.main)
    built_first = bool(config.build.command)
    if main and not built_first and not os.path.isfile(main):  # noqa: PTH113 - raises for no name
        raise ManifestError(
            f"There is no file {config.main[:200]!r}, which `main` names",
            locate(path, selection.pointers["main"]),
        )
    return main


def _without_main(selection: Selection) -> str:
    if "assets" in selection.values:
        return "`main` is missing; a Worker of assets alone is not supported yet"
    if "pages_build_output_dir" in selection.values:
        return "This is a Pages project; selfedge runs Workers, which have a `main`"
    return '`main` is missing: add the file to run, such as main = "src/index.ts"'


def _unused_events(config: Config) -> Sequence[str]:
    if not config.triggers.events:
        return ()
    return ("`triggers.events` are not supported yet and are left out",)


def _absent_secrets(config: Config, given: Mapping[str, str]) -> Sequence[str]:
    required = config.secrets.required if config.secrets else ()
    absent = ", ".join(f"`{name}`" for name in required if name not in given)
    if not absent:
        return ()
    return (f"The required secrets {absent} have no value: add them to .dev.vars",)
