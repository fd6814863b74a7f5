"""A wrong type in a wrangler file, told in the user's words and with its place."""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from selfedge.errors import ManifestError
from selfedge.manifest.model import Manifest, Pointer
from selfedge.manifest.position import locate

_PLACE = re.compile(
    r"^(?P<what>.*?)(?: - at (?:`key` in )?`\$(?P<at>.*)`)?$", re.DOTALL
)
_STEP = re.compile(r"\[(\d+)\]|\[\.\.\.\]|\.([^.\[\]]+)")
_TYPES = re.compile(r"Expected `([^`]+)`, got `([^`]+)`$")
_MISSING = re.compile(r"Object missing required field `([^`]+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `([^`]+)`")
_ENUM = re.compile(r"Invalid enum value (.*)", re.DOTALL)

_WORDS = {
    "str": "a string",
    "string": "a string",
    "int": "a whole number",
    "integer": "a whole number",
    "float": "a number",
    "number": "a number",
    "bool": "true or false",
    "boolean": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "null",
    "date": "a date (put it in quotes)",
    "datetime": "a date (put it in quotes)",
    "time": "a time (put it in quotes)",
}


def mistake(
    error: msgspec.ValidationError, *, manifest: Manifest, table: str
) -> ManifestError:
    """Return what to raise when a binding could not parse `manifest.tables[table]`."""
    what, steps = _told(error)
    return _placed(what, (*manifest.pointers.get(table, ()), *steps), manifest.path)


def mistake_among(
    error: msgspec.ValidationError, pointers: Mapping[str, Pointer], path: Path
) -> ManifestError:
    """Return what to raise when a dict, whose keys stand at `pointers`, is wrong."""
    what, steps = _told(error)
    start = pointers.get(str(steps[0]), ()) if steps else ()
    return _placed(what, (*start, *steps[1:]), path)


def dotted(pointer: Pointer) -> str:
    """Return `pointer` as people write it: "kv_namespaces[0].binding"."""
    parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in pointer)
    return "".join(parts).removeprefix(".")


def nearest(name: str, names: list[str]) -> str:
    """Return " (did you mean …?)" when one of `names` is close to `name`, else ""."""
    from difflib import get_close_matches  # noqa: PLC0415 - for messages only

    close = get_close_matches(name[:80], names, n=1)
    return f"; did you mean `{close[0]}`?" if close else ""


def worded(types: str) -> str:
    """Return the types of `str | null` in words: "a string"."""
    names = [name.strip() for name in types.split("|")]
    if len(names) > 1:
        names = [name for name in names if name != "null"]
    return " or ".join(_WORDS.get(name, name) for name in names)


def _told(error: msgspec.ValidationError) -> tuple[str, Pointer]:
    match = _PLACE.match(str(error))
    if not match:
        return str(error), ()
    return match["what"], _steps(match["at"] or "")


def _placed(what: str, pointer: Pointer, path: Path) -> ManifestError:
    return ManifestError(_sentence(what, dotted(pointer)), locate(path, pointer))


def _steps(at: str) -> Pointer:
    steps: list[str | int] = []
    for match in _STEP.finditer(at):
        index, name = match.groups()
        if index is None and name is None:  # a key that msgspec does not tell
            break
        steps.append(int(index) if index is not None else name)
    return tuple(steps)


def _sentence(what: str, subject: str) -> str:
    if types := _TYPES.match(what):
        return f"`{subject}` must be {worded(types[1])}, not {worded(types[2])}"
    if missing := _MISSING.match(what):
        return f"`{subject}` needs the key `{missing[1]}`"
    if unknown := _UNKNOWN.match(what):
        return f"`{subject}` has a key that is not known: `{unknown[1]}`"
    if enum := _ENUM.match(what):
        return f"`{subject}` cannot be {enum[1]}"
    return f"`{subject}`: {what}"
