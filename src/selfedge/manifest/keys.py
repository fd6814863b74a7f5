"""Which keys a wrangler file may have, and what becomes of each."""

from collections.abc import Collection, Mapping
from datetime import date, time
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from selfedge.errors import ManifestError
from selfedge.manifest.mistake import dotted, nearest, worded
from selfedge.manifest.model import Pointer
from selfedge.manifest.position import locate

Scope = Literal["inherited", "own", "top"]
"""Whether an environment inherits a key, must bring its own, or cannot have it."""


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key of wrangler's configuration."""

    scope: Scope
    types: tuple[str, ...]  # of JSON
    about: str


class _Table(msgspec.Struct, frozen=True):
    wrangler: str
    keys: dict[str, Key]


READ_HERE = frozenset(
    {
        "alias",
        "base_dir",
        "build",
        "compatibility_date",
        "compatibility_flags",
        "define",
        "env",
        "find_additional_modules",
        "jsx_factory",
        "jsx_fragment",
        "keep_names",
        "main",
        "migrations",
        "minify",
        "name",
        "no_bundle",
        "route",
        "routes",
        "rules",
        "secrets",
        "triggers",
        "tsconfig",
        "vars",
    }
)
"""Keys that become fields of a Manifest, or that every Manifest carries."""

WITHOUT_MEANING = frozenset(
    {
        "$schema",
        "account_id",
        "addresses",
        "compliance_region",
        "dependencies_instrumentation",
        "dev",
        "first_party_worker",
        "keep_vars",
        "limits",
        "logpush",
        "observability",
        "placement",
        "preview_urls",
        "previews",
        "python_modules",
        "send_metrics",
        "upload_source_maps",
        "workers_dev",
    }
)
"""Keys that only matter at Cloudflare: they are accepted in silence."""

REMOVED = {
    "node_compat": "use the compatibility flag `nodejs_compat`",
    "legacy_env": "each environment is a Worker of its own, named NAME-ENVIRONMENT",
    "usage_model": "remove it",
    "type": "remove it; `main` and `rules` say how to build",
    "zone_id": "remove it; `routes` may name a zone",
    "webpack_config": "remove it; `build` may run a command",
    "experimental_services": "use `services`",
}


@cache
def known() -> Mapping[str, Key]:
    """Return all top-level keys of the wrangler that selfedge goes by."""
    raw = Path(__file__).with_name("wrangler_keys.json").read_bytes()
    return msgspec.json.decode(raw, type=_Table).keys


def check(table: Mapping[str, object], pointer: Pointer, path: Path) -> list[str]:
    """Return warnings about keys of the top level or of one environment.

    Raises:
        ManifestError: the value of a known key is of a wrong type.
    """
    warnings = []
    for name, value in table.items():
        key = known().get(name)
        if key is None:
            warnings.append(_unknown(name, pointer))
        elif pointer and key.scope == "top":
            warnings.append(
                f"`{dotted((*pointer, name))}` is not read: "
                f"`{name}` may only stand at the top level"
            )
        elif (kind := _kind(value)) not in key.types:
            wanted = worded(" | ".join(key.types))
            raise ManifestError(
                f"`{dotted((*pointer, name))}` must be {wanted}, not {worded(kind)}",
                locate(path, (*pointer, name)),
            )
    return warnings


def unsupported(
    values: Mapping[str, object],
    pointers: Mapping[str, Pointer],
    tables: Collection[str],
) -> list[str]:
    """Return a warning for each key in `values` that selfedge does nothing with."""
    used = {*READ_HERE, *WITHOUT_MEANING, *tables}
    return [
        f"`{dotted(pointers[name])}` is not supported yet and is left out"
        for name, value in values.items()
        if name not in used and value not in ([], {}, "")
    ]


def _unknown(name: str, pointer: Pointer) -> str:
    subject = f"`{dotted((*pointer, name[:80]))}`"
    if remedy := REMOVED.get(name):
        return f"{subject} is no longer a key of wrangler: {remedy}"
    return f"{subject} is not a key of wrangler{nearest(name, sorted(known()))}"


def _kind(value: object) -> str:
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "boolean"),
        (str, "string"),
        ((int, float), "number"),
        (list, "array"),
        (dict, "object"),
        ((date, time), "date"),
    )
    return next((kind for types, kind in kinds if isinstance(value, types)), "null")
