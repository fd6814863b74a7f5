"""Source maps: from a place in a bundle to the place in the code that was written."""

import os
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import unquote, urlsplit

import msgspec

from selfedge.bundle.vlq import decode_vlq
from selfedge.errors import BuildError

_FRAME: Final = re.compile(
    r"(?P<before>\bat (?:async )?|\(|^\s*)"
    r"(?P<place>(?:file:///)?(?P<module>[^\s()]+?))"
    r":(?P<line>\d+):(?P<column>\d+)(?=\)|$)",
    re.MULTILINE,
)


class Origin(NamedTuple):
    """A place in a source file; `line` and `column` count from 1."""

    source: str
    line: int
    column: int
    name: str | None


_Segment: TypeAlias = tuple[int, int, int, int | None]
"""Source, line and column from 0, and name; without one: nobody's code."""


class _File(msgspec.Struct, frozen=True, rename="camel"):
    version: int
    mappings: str
    sources: Sequence[str | None] = ()
    names: Sequence[str] = ()
    source_root: str | None = None


class SourceMap:
    """One source map, decoded line by line as far as it is asked."""

    def __init__(self, file: _File) -> None:
        self._file = file
        self._lines: list[tuple[list[int], list[_Segment | None]]] = []
        self._rest = _decode(file.mappings)

    @classmethod
    def parse(cls, raw: bytes) -> "SourceMap":
        """Read the JSON of a source map of version 3.

        Raises:
            BuildError: `raw` is something else.
        """
        try:
            file = msgspec.json.decode(raw, type=_File)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BuildError(f"the source map is damaged: {error}") from error
        if file.version != 3:
            raise BuildError(f"the source map has version {file.version}, not 3")
        return cls(file)

    def original(self, line: int, column: int) -> Origin | None:
        """Return where `line` and `column` (from 1) came from, None if unknown.

        Raises:
            ValueError: the mappings are damaged.
        """
        while len(self._lines) < line:
            decoded = next(self._rest, None)
            if decoded is None:
                return None
            self._lines.append(decoded)
        columns, segments = self._lines[line - 1]
        index = bisect_right(columns, column - 1) - 1
        segment = segments[index] if line > 0 and index >= 0 else None
        return self._origin(segment) if segment else None

    def _origin(self, segment: _Segment) -> Origin | None:
        file = self._file
        index, line, column, name = segment
        source = file.sources[index] if 0 <= index < len(file.sources) else None
        if source is None:
            return None
        if file.source_root:
            source = f"{file.source_root.rstrip('/')}/{source}"
        if name is None or not 0 <= name < len(file.names):
            return Origin(source, line + 1, column + 1, None)
        return Origin(source, line + 1, column + 1, file.names[name])


def _decode(mappings: str) -> Iterator[tuple[list[int], list[_Segment | None]]]:
    numbers: dict[bytes, tuple[int, ...]] = {b"": (0,)}  # most segments recur
    source = line = column = name = 0
    for group in mappings.encode().split(b";"):
        columns: list[int] = []
        segments: list[_Segment | None] = []
        at = 0
        for raw in group.split(b",") if group else ():
            if (steps := numbers.get(raw)) is None:
                steps = numbers[raw] = tuple(decode_vlq(raw))
            at += steps[0]
            segment: _Segment | None = None
            if len(steps) > 3:
                source, line, column = (
                    source + steps[1],
                    line + steps[2],
                    column + steps[3],
                )
                if len(steps) > 4:
                    name += steps[4]
                segment = (source, line, column, name if len(steps) > 4 else None)
            columns.append(at)
            segments.append(segment)
        yield columns, segments


def remap(stack: str, maps: Mapping[str, SourceMap], root: Path) -> str:
    """Return V8's `stack` with every known frame at its place in the source.

    `maps` is by the module's name; files are named relative to the project `root`.
    """

    def frame(match: re.Match[str]) -> str:
        module = match["module"].removeprefix("bundle/")
        mapped = maps.get(module) or maps.get(match["module"])
        if mapped is None:
            return match[0]
        try:
            origin = mapped.original(int(match["line"]), int(match["column"]))
        except ValueError:
            return match[0]
        if origin is None:
            return match[0]
        source = _relative(origin.source, root)
        return f"{match['before']}{source}:{origin.line}:{origin.column}"

    return _FRAME.sub(frame, stack)


def _relative(source: str, root: Path) -> str:
    if source.startswith("file://"):
        source = unquote(urlsplit(source).path)
    if os.path.isabs(source):  # noqa: PTH117 - a string of a source map, not a path
        source = os.path.relpath(source, root)
    return os.path.normpath(source)
