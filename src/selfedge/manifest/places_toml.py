"""Offsets of all values in TOML whose text is known to be sound."""

import re
import tomllib

from selfedge.manifest.model import Pointer

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY_PART = re.compile(r"""[A-Za-z0-9_-]+ | "(?:\\.|[^"\\])*" | '[^']*'""", re.VERBOSE)
_TEXT = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5} | \'\'\'.*?'{3,5} '''
    r"""| "(?:\\.|[^"\\])*" | '[^']*'""",
    re.DOTALL | re.VERBOSE,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


def offsets(text: str) -> dict[Pointer, int]:
    """Return the offset of each value in `text`, by its pointer."""
    return _Scan(text).run()


class _Scan:
    """One walk over a text; `at` is where it is."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Pointer, int] = {(): 0}
        self.lengths: dict[Pointer, int] = {}  # of arrays of tables

    def run(self) -> dict[Pointer, int]:
        table: Pointer = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            before = self.at
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
            if self.at == before:  # not sound after all: what is known must do
                break
        return self.found

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            return ""
        self.at = match.end()
        return match.group()

    def _take(self, mark: str) -> bool:
        if self.text.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def _header(self) -> Pointer:
        start = self.at
        is_array = self._take("[[")
        if not is_array:
            self._take("[")
        *parents, last = self._keys() or [""]
        self._take("]]" if is_array else "]")
        pointer: Pointer = ()
        for part in parents:
            pointer = self._inside((*pointer, part), start)
        pointer = (*pointer, last)
        if is_array:
            self.found.setdefault(pointer, start)
            index = self.lengths.get(pointer, 0)
            self.lengths[pointer] = index + 1
            pointer = (*pointer, index)
        self.found.setdefault(pointer, start)
        return pointer

    def _inside(self, pointer: Pointer, start: int) -> Pointer:
        """Return `pointer`, or its newest entry when it is an array of tables."""
        self.found.setdefault(pointer, start)
        length = self.lengths.get(pointer)
        return (*pointer, length - 1) if length else pointer

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_SPACE)
            keys.append(_key(self._skip(_KEY_PART)))
            self._skip(_SPACE)
            if not self._take("."):
                return keys

    def _pair(self, table: Pointer) -> None:
        start = self.at
        pointer = table
        for key in self._keys():
            pointer = (*pointer, key)
            self.found.setdefault(pointer, start)
        self._take("=")
        self._skip(_SPACE)
        self.found[pointer] = self.at
        self._value(pointer)

    def _value(self, pointer: Pointer) -> None:
        self.found.setdefault(pointer, self.at)
        if self._take("["):
            self._list(pointer)
        elif self._take("{"):
            self._inline_table(pointer)
        elif not self._skip(_TEXT):
            self._skip(_SCALAR)

    def _list(self, pointer: Pointer) -> None:
        index = 0
        self._skip(_BLANK)
        while self.at < len(self.text) and not self._take("]"):
            before = self.at
            self._value((*pointer, index))
            index += 1
            self._skip(_BLANK)
            self._take(",")
            self._skip(_BLANK)
            if self.at == before:
                return

    def _inline_table(self, pointer: Pointer) -> None:
        self._skip(_BLANK)
        while self.at < len(self.text) and not self._take("}"):
            before = self.at
            self._pair(pointer)
            self._skip(_BLANK)
            self._take(",")
            self._skip(_BLANK)
            if self.at == before:
                return


def _key(part: str) -> str:
    if part[:1] not in ('"', "'"):
        return part
    try:
        return str(tomllib.loads(f"k = {part}")["k"])
    except tomllib.TOMLDecodeError:
        return part
