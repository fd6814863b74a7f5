"""What one environment of a wrangler file says, by wrangler's rules."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from selfedge.errors import ManifestError
from selfedge.manifest.document import Document
from selfedge.manifest.keys import check, known
from selfedge.manifest.model import Pointer
from selfedge.manifest.position import locate

UNNAMED = "worker"  # wrangler's name for a Worker that has none
_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The keys that count for one environment, and where each stands."""

    name: str
    values: Mapping[str, object]
    pointers: Mapping[str, Pointer]
    warnings: tuple[str, ...]


def select(document: Document, environment: str | None, path: Path) -> Selection:
    """Return what `document` says for `environment`; None is the top level.

    Raises:
        ManifestError: there is no such environment, or a key is of a wrong type.
    """
    warnings = check(document, (), path)
    raw, notes = _section(document, environment, path)
    warnings += notes
    pointer: Pointer = ()
    if raw is not document and environment is not None:
        pointer = ("env", environment)
        warnings += check(raw, pointer, path)
    pointers = _merge(document, raw, pointer)
    if pointer:
        warnings += _left_behind(document, raw, environment or "")
    values = {key: _at(document, raw, where) for key, where in pointers.items()}
    name = _name(values, pointers, environment, path)
    return Selection(
        name=name, values=values, pointers=pointers, warnings=tuple(warnings)
    )


def _section(
    document: Document, environment: str | None, path: Path
) -> tuple[Document, list[str]]:
    """Return the table of `environment`, which is the document itself for the top."""
    if environment is None:
        return document, []
    sections = document.get("env")
    if not isinstance(sections, dict):
        note = (
            f"{path.name} has no environments, yet `{environment}` was asked for: "
            "the top level is used"
        )
        return document, [note]
    section = sections.get(environment)
    if isinstance(section, dict):
        return section, []
    if environment in sections:
        raise ManifestError(
            f"`env.{environment}` must be a table", locate(path, ("env", environment))
        )
    names = ", ".join(f"`{name}`" for name in sections) or "none"
    raise ManifestError(
        f"There is no environment `{environment}`; the environments are: {names}",
        locate(path, ("env",)),
    )


def _merge(document: Document, raw: Document, pointer: Pointer) -> dict[str, Pointer]:
    """Return where each key that counts stands, in the order of the file."""
    found: dict[str, Pointer] = {}
    for name in {**document, **raw}:
        key = known().get(name)
        if key is None:
            continue
        if name in raw and (not pointer or key.scope != "top"):
            found[name] = (*pointer, name)
        elif name in document and key.scope != "own":
            found[name] = (name,)
    if pointer and ("route" in raw or "routes" in raw):  # one replaces the other
        found = {
            name: where
            for name, where in found.items()
            if name not in ("route", "routes") or where[0] == "env"
        }
    return found


def _at(document: Document, raw: Document, pointer: Pointer) -> object:
    return document[str(pointer[0])] if len(pointer) == 1 else raw[str(pointer[-1])]


def _left_behind(document: Document, raw: Document, environment: str) -> list[str]:
    return [
        f"`{name}` stands at the top level but not in `env.{environment}`, "
        "and environments do not inherit it"
        for name, key in known().items()
        if key.scope == "own" and name in document and name not in raw
    ]


def _name(
    values: Mapping[str, object],
    pointers: Mapping[str, Pointer],
    environment: str | None,
    path: Path,
) -> str:
    given = values.get("name")
    if not isinstance(given, str) or not given:
        return UNNAMED
    if not _NAME.fullmatch(given):
        raise ManifestError(
            "`name` may hold lower-case letters, digits, `-` and `_`, "
            f"not {given[:80]!r}",
            locate(path, pointers["name"]),
        )
    if environment and len(pointers["name"]) == 1:
        return f"{given}-{environment}"
    return given
