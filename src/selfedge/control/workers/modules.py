"""The modules of an upload: their names and types, checked; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from selfedge.control.workers.limits import (
    CODE_MAX_BYTES,
    MODULE_NAME_MAX_CHARS,
    MODULES_MAX,
)
from selfedge.control.workers.multipart import Part
from selfedge.control.workers.problem import TOO_LARGE, invalid
from selfedge.errors import ApiError

MIB = 1024 * 1024
SOURCE_MAP: Final = "application/source-map"
_PYTHON: Final = frozenset({"text/x-python", "text/x-python-requirement"})
_SCRIPT: Final = frozenset({"application/javascript", "text/javascript"})
_TYPES: Final[Mapping[str, str]] = {
    "application/javascript+module": "esModule",
    "text/javascript+module": "esModule",
    "application/javascript": "commonJsModule",
    "text/javascript": "commonJsModule",
    "application/wasm": "wasm",
    "application/octet-stream": "data",
    "text/plain": "text",
    "application/json": "json",
}
_TEXTS: Final = frozenset({"esModule", "commonJsModule", "text", "json"})
CONTENT_TYPES: Final[Mapping[str, str]] = {
    "esModule": "application/javascript+module",
    "commonJsModule": "application/javascript",
    "wasm": "application/wasm",
    "data": "application/octet-stream",
    "text": "text/plain",
    "json": "application/json",
}
"""Engine's type → content type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A module as it was uploaded."""

    name: str
    type: str
    content: memoryview


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """All modules, the main one first, and its source map."""

    modules: Sequence[Module]
    source_map: memoryview | None


def read_code(main: str, parts: Sequence[Part]) -> Code:
    """Return the code of an upload whose main module is `main`.

    Raises:
        ApiError: the main module is missing, a name or type cannot be, or it is
            too much.
    """
    maps = {
        module_name(part.file): part.body
        for part in parts
        if part.content_type == SOURCE_MAP
    }
    modules: dict[str, Module] = {}
    for part in parts:
        if part.content_type != SOURCE_MAP:
            module = _module(part)
            if module.name in modules:
                raise invalid(f"The module {module.name!r} stands twice in the upload.")
            modules[module.name] = module
    entry = modules.pop(module_name(main), None)
    if entry is None:
        raise invalid(
            f"The main module {main!r} is not in the upload, which has "
            f"{', '.join(sorted(modules)[:10]) or 'no module'}."
        )
    if entry.type != "esModule":
        raise invalid(
            f"The main module {entry.name!r} must be an ES module "
            f"(application/javascript+module) that exports its handlers; it was sent "
            f"as {CONTENT_TYPES[entry.type]}."
        )
    code = [entry, *modules.values()]
    _check_size(code)
    return Code(modules=code, source_map=maps.get(f"{entry.name}.map"))


def module_name(given: str) -> str:
    """Return the name of a module, as it stands in the engine's list.

    Raises:
        ApiError: it leads out of the Worker, or is no name.
    """
    name = given.removeprefix("./")
    segments = name.split("/")
    if (
        not name
        or len(name) > MODULE_NAME_MAX_CHARS
        or not name.isprintable()
        or "\\" in name
        or any(segment in {"", ".", ".."} for segment in segments)
    ):
        raise invalid(
            f"{given[:80]!r} cannot be the name of a module: it has at most "
            f"{MODULE_NAME_MAX_CHARS} printable characters, does not begin with a "
            "slash, and no part of it is empty, `.` or `..`."
        )
    return name


def _module(part: Part) -> Module:
    name = module_name(part.file)
    if part.content_type in _PYTHON:
        raise invalid(
            f"The module {name!r} is Python: Workers in Python are not supported by "
            "this node."
        )
    kind = _TYPES.get(part.content_type)
    if part.content_type in _SCRIPT and name.endswith(".mjs"):
        kind = "esModule"
    if kind is None:
        raise invalid(
            f"The module {name!r} was sent as {part.content_type[:80] or 'no type'}; "
            f"a module is one of {', '.join(_TYPES)}."
        )
    if kind in _TEXTS and not _is_text(part.body):
        raise invalid(
            f"The module {name!r} was sent as {part.content_type}, but is not UTF-8; "
            "send bytes as application/octet-stream."
        )
    return Module(name=name, type=kind, content=part.body)


def _is_text(body: memoryview) -> bool:
    try:
        str(body, "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _check_size(modules: Sequence[Module]) -> None:
    if len(modules) > MODULES_MAX:
        raise invalid(
            f"The Worker has {len(modules)} modules, {MODULES_MAX} are the most: "
            "bundle them."
        )
    size = sum(module.content.nbytes for module in modules)
    if size > CODE_MAX_BYTES:
        largest = max(modules, key=lambda module: module.content.nbytes)
        raise ApiError(
            f"The Worker is {size / MIB:.1f} MiB, over the limit of "
            f"{CODE_MAX_BYTES // MIB} MiB; its largest module is {largest.name} "
            f"({largest.content.nbytes / MIB:.1f} MiB): keep large files in R2 or KV.",
            status=413,
            number=TOO_LARGE,
        )
