"""The engine's log lines → what a developer reads: pure but for the printing."""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

Print = Callable[[str, str], None]
"""(level, text): shows one entry."""

_UNCAUGHT = re.compile(r"uncaught exception; source = .*?; stack = (.*)", re.DOTALL)
_FRAME = re.compile(r"^\s+at .*$", re.MULTILINE)
_OUR_FRAME = re.compile(r"^\s+at .*\bselfedge-[a-z]+\.js:.*\n?", re.MULTILINE)
_MODULE = re.compile(r"^\s+at .*?([\w-]+)\.js:\d+:\d+\)?$", re.MULTILINE)
"""A Worker's main module has the script's name."""

_TOLD = "selfedge:request "

_REMEMBERED = 16


class _Line(msgspec.Struct, frozen=True):
    message: str = ""
    level: str = "log"
    source: str | None = None  # a file of the engine; None: console.*


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to show."""

    level: str
    text: str


class Console:
    """Turns the log of one engine process into entries.

    `remap` gives stack frames their TypeScript positions.
    """

    def __init__(self, show: Print, remap: Callable[[str], str]) -> None:
        self._show = show
        self._remap = remap
        self._recent: deque[str] = deque(maxlen=_REMEMBERED)

    def hear(self, raw: str) -> None:
        """Take one line of the engine's log."""
        entry = self._entry(raw)
        if entry is not None:
            self._show(entry.level, entry.text)

    def stack_of(self, stack: str) -> tuple[str, bool]:
        """Return `stack` with TypeScript positions, and whether it was shown before.

        An exception that crossed from another isolate has lost its frames; the
        engine has just told where it came from.
        """
        known = next((s for s in self._recent if _head(s) == _head(stack)), None)
        if known is not None and not _FRAME.search(stack):
            return known, True
        return self.readable(stack), known is not None

    def readable(self, stack: str) -> str:
        """Return a stack without frames of ours, in TypeScript positions."""
        return self._remap(_OUR_FRAME.sub("", stack)).rstrip()

    def _entry(self, raw: str) -> Entry | None:
        try:
            line = msgspec.json.decode(raw.encode(), type=_Line)
        except msgspec.MsgspecError:
            return Entry("debug", raw) if raw.strip() else None
        if line.source is None:
            if line.message.startswith(_TOLD):
                return None  # the edge to its tail
            return Entry(line.level, self.readable(line.message))
        uncaught = _UNCAUGHT.match(line.message)
        if uncaught is not None and "worker.c++" in line.source:
            return self._uncaught(uncaught[1])
        return Entry("debug", f"engine: {line.message}")

    def _uncaught(self, stack: str) -> Entry | None:
        if not _FRAME.search(stack) and any(
            _head(s) == _head(stack) for s in self._recent
        ):
            return None  # the same exception, seen by its caller
        text = self.readable(stack)
        if _FRAME.search(stack) and not _FRAME.search(text):
            return None  # thrown by a module of ours, to be caught by the Worker
        self._recent.append(text)
        module = _MODULE.search(stack)
        mark = f"[{module[1]}] " if module else ""
        return Entry("error", f"{mark}Uncaught {text}")


def _head(stack: str) -> str:
    return stack.partition("\n    at ")[0].strip()
