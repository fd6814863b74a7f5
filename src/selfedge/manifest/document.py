"""The text of a wrangler file becomes plain values, or an error with its place."""

import math
import re
from datetime import date, time
from pathlib import Path

from selfedge.errors import ManifestError, Position

Document = dict[str, object]

NESTING_MAX = 100


def parse(path: Path) -> Document:
    """Return what the wrangler file at `path` says.

    Raises:
        ManifestError: it is missing, unreadable, not UTF-8, or malformed.
    """
    text = text_of(path)
    decode = _decode_toml if path.suffix == ".toml" else _decode_json
    document = decode(text, path)
    if not isinstance(document, dict):
        raise ManifestError("A wrangler file holds one object: { … }", start_of(path))
    return document


def text_of(path: Path) -> str:
    """Return the text of a file that the user wrote.

    Raises:
        ManifestError: it is missing, unreadable or not UTF-8.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise ManifestError(f"{shown(path)} does not exist") from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ManifestError(f"{shown(path)} cannot be read: {why}") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig", "replace")
        raise ManifestError(
            "The file is not UTF-8 here; save it in that encoding",
            position_at(path, before, len(before)),
        ) from error


def shown(path: Path) -> str:
    """Return `path` as messages name it: short where it is below this folder."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def start_of(path: Path) -> Position:
    """Return the start of a file: the place of what is missing in it."""
    return Position(shown(path), 1, 1)


def position_at(path: Path, text: str, offset: int) -> Position:
    """Return the line and column of the character `offset` in `text`."""
    before = text[:offset]
    line_start = before.rfind("\n") + 1
    return Position(shown(path), before.count("\n") + 1, offset - line_start + 1)


def plain(value: object) -> object:
    """Return `value` as JSON would carry it: no dates, NaN or half characters."""
    if isinstance(value, dict):
        return {_whole(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return _whole(value) if isinstance(value, str) else value


def _whole(text: str) -> str:
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _decode_toml(text: str, path: Path) -> object:
    import tomllib  # noqa: PLC0415 - one of two parsers is needed

    try:
        return _shallow(tomllib.loads(text), path)
    except tomllib.TOMLDecodeError as error:
        message, position = _toml_mistake(str(error), text, path)
        raise ManifestError(message, position) from error
    except (ValueError, RecursionError, OverflowError) as error:
        raise _too_much(path) from error


def _decode_json(text: str, path: Path) -> object:
    import pyjson5  # noqa: PLC0415 - one of two parsers is needed

    try:
        return pyjson5.decode(text)
    except pyjson5.Json5Exception as error:
        message, position = _json_mistake(str(error.args[0]), text, path)
        raise ManifestError(message, position) from error
    except (ValueError, RecursionError, OverflowError) as error:
        raise _too_much(path) from error


def _too_much(path: Path) -> ManifestError:
    return ManifestError(
        "A number is too long, or tables are nested too deeply, to be read",
        start_of(path),
    )


def _shallow(document: Document, path: Path) -> Document:
    """Refuse what later steps, which recurse, could not walk."""
    level: list[object] = [document]
    for _ in range(NESTING_MAX):
        level = [item for value in level for item in _items(value)]
        if not level:
            return document
    raise _too_much(path)


def _items(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


_TOML_PLACE = re.compile(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$")
_TOML_WORDS: tuple[tuple[str, str], ...] = (
    (r"Invalid value", "This is not a TOML value; texts need quotes"),
    (r"Ends early", "The file ends where a value, or the end of a list, is missing"),
    (r"Unterminated string", "A text is not closed: a quote is missing"),
    (r"Illegal character '\\n'", "A text is not closed: a quote is missing"),
    (r"Cannot overwrite a value", "This key is set a second time"),
    (r"Cannot declare .*twice", "This table stands here a second time"),
    (r"Cannot mutate immutable", "A table in braces cannot be added to later"),
    (r"Expected '=' after a key", "A key needs `=` and a value after it"),
    (r"Expected newline or end", "A value ends here, but the line goes on"),
    (r"Invalid initial character for a key", "A key should stand here"),
    (r"Unclosed array", "A list is not closed: `]` or a comma is missing"),
    (r"Unclosed inline table", "A table is not closed: `}` or a comma is missing"),
    (r"Expected '\]", "A table header is not closed: `]` is missing"),
    (r"Invalid statement", "Neither `key = value` nor a `[table]`"),
)


def _toml_mistake(said: str, text: str, path: Path) -> tuple[str, Position]:
    match = _TOML_PLACE.match(said)
    what, line, column = match.groups() if match else (said, None, None)
    if not line or not column:
        what = what.replace("Invalid value", "Ends early")
        position = position_at(path, text, len(text.rstrip()))
    else:
        position = Position(shown(path), int(line), int(column))
    if what.startswith("Cannot"):  # told behind the value or header that is wrong
        position = Position(position.path, position.line, 1)
    return f"{_worded(what, _TOML_WORDS)} (TOML syntax)", position


_JSON_PLACE = re.compile(r"^(.*?) (?:near|starting near) (\d+)(?:, found (U\+\w+))?")
_JSON_WORDS: tuple[tuple[str, str], ...] = (
    (r"Expected b'comma'", "A comma or a closing brace is missing before this"),
    (r"Expected b'colon'", "A key needs `:` and a value after it"),
    (r"Expected b'JSON5Value'", "A value is missing here"),
    (r"Expected b'IdentifierStart'", "A key in quotes should stand here"),
    (r"Stray b'comma'", "There is one comma too many"),
    (r"Unclosed b'string'", "A text is not closed: a quote is missing"),
    (r"Unclosed b'object'", "An object is not closed: `}` is missing"),
    (r"Unclosed b'array'", "A list is not closed: `]` is missing"),
    (r"Unclosed b'comment'", "A comment is not closed: `*/` is missing"),
    (r"Unclosed b'NumericLiteral'", "This number cannot be read"),
    (r"No JSON data", "The file is empty"),
    (r"Extra data", "The object ends before this, yet the file goes on"),
    (r"Maximum nesting", "Objects and lists are nested too deeply"),
    (r"Expected U\+", "This is not a JSON value; texts need quotes"),
)


def _json_mistake(said: str, text: str, path: Path) -> tuple[str, Position]:
    match = _JSON_PLACE.match(said)
    if not match:
        return f"{said} (JSON syntax)", start_of(path)
    what, near, _found = match.groups()
    offset = int(near) if what.startswith("Extra") else max(0, int(near) - 1)
    while offset < len(text) and text[offset].isspace():
        offset += 1
    words = f"{_worded(what, _JSON_WORDS)} (JSON syntax)"
    return words, position_at(path, text, min(offset, len(text.rstrip())))


def _worded(said: str, words: tuple[tuple[str, str], ...]) -> str:
    return next((text for pattern, text in words if re.match(pattern, said)), said)
