"""A version that was uploaded → the same Script that a wrangler file makes: pure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from selfedge.binding import AnyBinding
from selfedge.bundle.model import WITHOUT_CODE, Bundle, EngineModuleType, Module
from selfedge.catalog.model import Assets, Version
from selfedge.compiler.graph import Script
from selfedge.errors import ManifestError
from selfedge.manifest.model import Build, Manifest

_METADATA = Path("metadata")  # stands where a wrangler file's path would

_ASSETS_KEYS = frozenset(
    {"html_handling", "not_found_handling", "run_worker_first", "base_path"}
)

Entry = Mapping[str, Any]


def script(
    version: Version,
    name: str,
    migrations: Sequence[Entry],
    contents: Mapping[str, bytes],
    bindings: Sequence[AnyBinding],
) -> Script:
    """Return what to compile; `name` is that of its service in the process.

    Secrets of `version.bindings` have their `text`; `contents` has the modules'
    bytes by sha256.

    Raises:
        ManifestError: a binding is of a type that is not known, or has a wrong shape.
    """
    modules = [
        Module(
            name=module.name,
            type=cast(EngineModuleType, module.type),
            content=contents[module.sha256],
        )
        for module in version.modules
    ]
    tables = uploaded_tables(version.bindings, bindings)
    if version.assets is not None:
        tables["assets"] = _assets(version.assets, tables.get("assets"))
    if migrations:
        tables["migrations"] = [dict(one) for one in migrations]
    manifest = Manifest(
        path=_METADATA,
        environment=None,
        name=name,
        main=Path(version.main_module) if version.main_module else None,
        compatibility_date=version.compatibility_date,
        compatibility_flags=version.compatibility_flags,
        build=Build(),
        tables=tables,
        pointers={},
        secrets={},
    )
    bundle = Bundle(
        modules=modules,
        exports=version.exports,
        source_map=contents.get(version.source_map or ""),
        inputs=frozenset(),
    )
    return Script(manifest=manifest, bundle=bundle if modules else WITHOUT_CODE)


def _assets(assets: Assets, bound: object) -> Mapping[str, object]:
    """Return the table `assets`: `_headers` and `_redirects` are of the files."""
    config = {
        name: value
        for name, value in assets.config.items()
        if name in _ASSETS_KEYS and value is not None
    }
    return {**config, **(bound if isinstance(bound, Mapping) else {})}


def uploaded_tables(
    entries: Sequence[Entry], bindings: Sequence[AnyBinding]
) -> dict[str, object]:
    """Return the tables of a wrangler file that say what `entries` say.

    Raises:
        ManifestError: a type is not known, or an entry has a wrong shape.
    """
    tables: dict[str, object] = {}
    left = list(entries)
    for binding in bindings:
        upload = binding.upload
        if upload is None or binding.table is None:
            continue
        own = [one for one in left if one.get("type") in upload.types]
        left = [one for one in left if one.get("type") not in upload.types]
        if own:
            try:
                tables[binding.table] = upload.table(own)
            except (KeyError, TypeError, ValueError) as error:
                raise ManifestError(_misshapen(own, error)) from error
    if left:
        known = sorted(types_of(bindings))
        raise ManifestError(
            f"the binding {left[0].get('name')!r} is of type {left[0].get('type')!r}, "
            f"which this node does not run; it runs {', '.join(known)}"
        )
    return tables


def types_of(bindings: Sequence[AnyBinding]) -> frozenset[str]:
    """Return the types of bindings that an upload may have."""
    return frozenset[str]().union(*(b.upload.types for b in bindings if b.upload))


def _misshapen(entries: Sequence[Entry], error: Exception) -> str:
    names = ", ".join(repr(one.get("name")) for one in entries)
    kind = entries[0].get("type")
    if isinstance(error, KeyError):
        return f"a binding of type {kind!r} ({names}) lacks the field {error}"
    return f"a binding of type {kind!r} ({names}) is wrong: {error}"
