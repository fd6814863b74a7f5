"""From what esbuild says of a fault to what its author reads."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from selfedge.bundle.node import NodeMode, is_builtin, remedy
from selfedge.bundle.packets import Value
from selfedge.errors import BuildError, Diagnostic, Position

SHOWN: Final = 10
"""Errors that a message spells out; all are in `BuildError.diagnostics`."""

_WIDTH: Final = 160
_UNRESOLVED: Final = re.compile(r'Could not resolve "(.+)"')
_NO_LOADER: Final = re.compile(r'No loader is configured for "(.+)" files')
_PACKAGE: Final = re.compile(r"(@[^/]+/)?[^/]+")


class Location(msgspec.Struct, frozen=True, rename="camel"):
    """A place in a file; `line` counts from 1, `column` in bytes from 0."""

    file: str
    line: int
    column: int
    length: int
    line_text: str


class Note(msgspec.Struct, frozen=True):
    """A further remark on a message."""

    text: str
    location: Location | None = None


class Message(msgspec.Struct, frozen=True):
    """An error or a warning as esbuild sends it."""

    text: str
    location: Location | None = None
    notes: Sequence[Note] = ()


def read_messages(value: Value) -> Sequence[Message]:
    """Return the messages in a field of esbuild's answer."""
    return msgspec.convert(value, list[Message])


def diagnose(message: Message, mode: NodeMode) -> Diagnostic:
    """Return `message` with a remedy that fits a Worker."""
    notes = _remedies(message, mode)
    if message.location is None:
        return Diagnostic(text=message.text, notes=tuple(notes))
    return _locate(message.text, message.location, notes)


def failure(diagnostics: Sequence[Diagnostic]) -> BuildError:
    """Return the error that shows `diagnostics`."""
    count = len(diagnostics)
    parts = [f"the build failed with {count} error{'' if count == 1 else 's'}"]
    parts += [str(diagnostic) for diagnostic in diagnostics[:SHOWN]]
    if count > SHOWN:
        parts.append(f"and {count - SHOWN} more")
    return BuildError("\n\n".join(parts), diagnostics)


def _remedies(message: Message, mode: NodeMode) -> list[str]:
    if unresolved := _UNRESOLVED.match(message.text):
        return _resolve_notes(unresolved[1], mode)
    if unknown := _NO_LOADER.match(message.text):
        globs = f'["**/*{unknown[1]}"]'
        return [
            f'To import such files, add [[rules]] of type "Text" or "Data" for {globs}'
        ]
    return [_note(note) for note in message.notes]


def _resolve_notes(specifier: str, mode: NodeMode) -> list[str]:
    if is_builtin(specifier):
        return [remedy(specifier, mode)]
    if specifier.startswith((".", "/")):
        return ["There is no such file"]
    package = _PACKAGE.match(specifier)
    name = package[0] if package else specifier
    return [f"Is the package installed? Run `npm install {name}` in the project"]


def _note(note: Note) -> str:
    place = note.location
    if place is None:
        return note.text
    return f"{place.file}:{place.line}:{_characters(place) + 1}: {note.text}"


def _characters(place: Location) -> int:
    return len(place.line_text.encode()[: place.column].decode(errors="ignore"))


def _locate(text: str, place: Location, notes: Sequence[str]) -> Diagnostic:
    column = _characters(place)
    marked = place.line_text.encode()[place.column : place.column + place.length]
    line = place.line_text.expandtabs(1)
    start = max(0, column - _WIDTH // 2) if len(line) > _WIDTH else 0
    return Diagnostic(
        text=text,
        position=Position(place.file, place.line, column + 1),
        source=line[start : start + _WIDTH],
        offset=start,
        length=min(len(marked.decode(errors="ignore")), start + _WIDTH - column),
        notes=tuple(notes),
    )
