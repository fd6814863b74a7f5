"""What the main module of an upload exports, found by the bundler."""

import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec

from selfedge.bundle import esbuild
from selfedge.bundle.packets import Fields
from selfedge.errors import SelfedgeError

ExportsOf: TypeAlias = Callable[[bytes], Awaitable[Sequence[str] | None]]
"""Source of an ES module → names that it exports; None: they are not known."""

_OUTPUT = "main.js"
_FLAGS = ("--format=esm", "--metafile", "--log-level=silent", f"--outfile={_OUTPUT}")
_STAR = re.compile(rb"\bexport\s*\*\s*from\b")


class _Made(msgspec.Struct, frozen=True):
    exports: Sequence[str] = ()


class _Metafile(msgspec.Struct, frozen=True):
    outputs: dict[str, _Made]


def by_esbuild(binary: Path) -> ExportsOf:
    """Return what finds exports with this esbuild.

    What code that does not parse exports is not known: the engine says what is wrong.
    """

    async def exports(source: bytes) -> Sequence[str] | None:
        if _STAR.search(source):  # they are in another module
            return None
        try:
            answer = await esbuild.build(binary, lambda: _request(source), _nothing)
        except SelfedgeError:
            return None
        metafile = answer.get("metafile")
        if answer.get("errors") or not isinstance(metafile, bytes):
            return None
        made = msgspec.json.decode(metafile, type=_Metafile).outputs.get(_OUTPUT)
        return tuple(made.exports) if made else None

    return exports


def _request(source: bytes) -> Fields:
    return {
        "command": "build",
        "entries": [],
        "flags": list(_FLAGS),
        "write": False,
        "stdinContents": source,
        "stdinResolveDir": None,
        "absWorkingDir": "/",
        "nodePaths": [],
        "context": False,
    }


async def _nothing(asked: Fields) -> Fields:
    del asked
    return {}
