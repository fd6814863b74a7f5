"""Offsets of all values in JSON with comments, whose text is known to be sound."""

import re
from dataclasses import dataclass

from selfedge.manifest.model import Pointer

_TOKEN = re.compile(
    r"""(?P<skip>\s+ | //[^\n]* | /\*.*?\*/)
      | (?P<text>"(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*')
      | (?P<mark>[{}\[\]:,])
      | (?P<bare>[^\s{}\[\]:,"'/]+)
      | (?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)


@dataclass(slots=True)
class _Frame:
    pointer: Pointer
    is_object: bool
    step: str | int  # key or index of the value that comes next
    at_key: bool

    def next(self) -> None:
        self.at_key = self.is_object
        if isinstance(self.step, int):
            self.step += 1


def offsets(text: str) -> dict[Pointer, int]:
    """Return the offset of each value in `text`, by its pointer."""
    found: dict[Pointer, int] = {}
    frames: list[_Frame] = []
    for match in _TOKEN.finditer(text):
        piece = match.group()
        if match.lastgroup in ("skip", "other"):
            continue
        if match.lastgroup == "mark" and piece not in "{[":
            _punctuate(piece, frames)
        elif frames and frames[-1].at_key:
            frames[-1].step = _key(piece)
        else:
            pointer = (*frames[-1].pointer, frames[-1].step) if frames else ()
            found.setdefault(pointer, match.start())
            if piece in ("{", "["):
                frames.append(_opened(pointer, piece))
    return found


def _opened(pointer: Pointer, piece: str) -> _Frame:
    is_object = piece == "{"
    return _Frame(pointer, is_object, "" if is_object else 0, at_key=is_object)


def _punctuate(piece: str, frames: list[_Frame]) -> None:
    if not frames:
        return
    if piece in "}]":
        frames.pop()
    elif piece == ",":
        frames[-1].next()
    else:
        frames[-1].at_key = False


def _key(piece: str) -> str:
    if piece[0] not in "\"'" and "\\" not in piece:
        return piece
    import pyjson5  # noqa: PLC0415 - this file is in use already

    try:
        return str(pyjson5.decode(piece))
    except pyjson5.Json5Exception:
        return piece
