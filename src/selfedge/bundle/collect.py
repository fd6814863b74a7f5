"""Modules that are found on disk by the rules, rather than by following imports."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from selfedge.bundle.entry import SKIPPED
from selfedge.bundle.model import Module
from selfedge.bundle.rules import ENGINE_TYPES, Rules
from selfedge.errors import BuildError


def find_modules(
    root: Path, rules: Rules, *, but: frozenset[Path]
) -> Mapping[Path, Module]:
    """Return the files under `root` that a rule matches, named relative to it.

    Raises:
        BuildError: a file cannot be read.
    """
    found: dict[Path, Module] = {}
    for file in _files(root):
        if file in but:
            continue
        name = file.relative_to(root).as_posix()
        if rule := rules.find(name, loose=False):
            content = _read(file)
            kind = ENGINE_TYPES[rule.type]
            found[file] = Module(name=name, type=kind, content=content)
    return found


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - SKIPPED)
        yield from (Path(folder, name) for name in sorted(names))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BuildError(f"cannot read the module {file}: {error.strerror}") from error
