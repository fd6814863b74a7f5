"""Static assets → the engine's own service for them, behind the Worker's edge."""

import json
from collections.abc import Mapping

from selfedge.binding import Fragment, Row, Site, StaticFiles
from selfedge.bindings.assets.config import Assets
from selfedge.edge.entry import ASSETS, INNER
from selfedge.errors import ManifestError
from selfedge.types import Struct

KIND = "assets"
FILES = "AssetWorker"
"""The engine's entrypoint that serves files only."""

IGNORED = ".*\n!.well-known\n"
"""Files that begin with a dot are for no client, unless `.assetsignore` says `!`."""


def compile_assets(entry: Assets, site: Site) -> Fragment:
    """Return the router of a Worker's static files, and the binding to them.

    Raises:
        ManifestError: there are no files, or no code that could run first.
    """
    files = site.assets
    if files is None:
        raise ManifestError(_without_files(entry))
    if entry.run_worker_first and not files.has_code:
        raise ManifestError(
            "`assets.run_worker_first` needs code that can run: add `main`, or "
            "remove it"
        )
    part = site.service or site.worker
    router = {"name": f"{KIND}:{part}", "assets": _router(entry, files, part)}
    bindings: list[Struct] = []
    if entry.run_worker_first is not True:
        bindings.append({"name": ASSETS, "service": {"name": router["name"]}})
    if entry.binding:
        designator = {"name": router["name"], "entrypoint": FILES}
        bindings.append({"name": entry.binding, "service": designator})
    return Fragment(
        bindings=bindings,
        services=[router],
        router=str(router["name"]),
        rows=[_row(entry, files)],
    )


def _router(entry: Assets, files: StaticFiles, part: str) -> Struct:
    router: Struct = {"path": files.folder, "config": json.dumps(_config(entry, files))}
    if files.has_code:
        designator = {"name": Site.worker_service(part), "entrypoint": INNER}
        return {**router, "userWorker": designator}
    return {
        **router,
        "compatibilityDate": files.compatibility_date,
        "compatibilityFlags": list(files.compatibility_flags),
    }


def _config(entry: Assets, files: StaticFiles) -> Mapping[str, object]:
    config: dict[str, object] = {
        "html_handling": entry.html_handling,
        "not_found_handling": entry.not_found_handling,
        "headers": files.headers,
        "redirects": files.redirects,
        "ignore": IGNORED + files.ignore,
    }
    if entry.base_path is not None:
        config["base_path"] = entry.base_path
    if entry.run_worker_first is not False:
        config["run_worker_first"] = entry.run_worker_first
    return config


def _row(entry: Assets, files: StaticFiles) -> Row:
    name = f"env.{entry.binding}" if entry.binding else "assets"
    return Row(name=name, kind="static assets", detail=entry.directory or files.folder)


def _without_files(entry: Assets) -> str:
    if entry.binding and entry.directory is None:
        return (
            f"the binding {entry.binding!r} is to static assets, of which there are "
            "none: give `assets.directory`, or remove the binding"
        )
    return "`assets.directory` is missing: name the folder of the static files"
