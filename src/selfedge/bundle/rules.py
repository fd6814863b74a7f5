"""Which files become modules of their own, and of what type."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from selfedge.bundle.model import EngineModuleType
from selfedge.manifest.model import ModuleType, Rule

DEFAULTS: Final = (
    Rule(type="Text", globs=("**/*.txt", "**/*.html", "**/*.sql")),
    Rule(type="Data", globs=("**/*.bin",)),
    Rule(type="CompiledWasm", globs=("**/*.wasm", "**/*.wasm?module")),
)

ENGINE_TYPES: Final[dict[ModuleType, EngineModuleType]] = {
    "ESModule": "esModule",
    "CommonJS": "commonJsModule",
    "Text": "text",
    "Data": "data",
    "CompiledWasm": "wasm",
}

_QUERY = "?module"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of a Worker, its own before the defaults."""

    active: Sequence[Rule]
    dropped: Sequence[Rule]  # shadowed by an earlier one of their type

    @classmethod
    def of(cls, own: Sequence[Rule]) -> "Rules":
        """Return `own` and the defaults: one without `fallthrough` ends its type."""
        active: list[Rule] = []
        dropped: list[Rule] = []
        ended: set[ModuleType] = set()
        for rule in (*own, *DEFAULTS):
            (dropped if rule.type in ended else active).append(rule)
            if not rule.fallthrough:
                ended.add(rule.type)
        return cls(active=active, dropped=dropped)

    def find(self, path: str, *, loose: bool) -> Rule | None:
        """Return the first rule for `path`, which is relative to the modules' root."""
        return _first(self.active, path, loose=loose)

    def find_dropped(self, path: str, *, loose: bool) -> Rule | None:
        """Return the rule that would have matched, had another not ended its type."""
        return _first(self.dropped, path, loose=loose)

    def files(self) -> str | None:
        """Return a regular expression for absolute paths that a rule may match.

        Only types that a bundle keeps as files; JavaScript is bundled.
        """
        tails = {
            _translate(glob.removesuffix(_QUERY).rpartition("/")[2], star=".*")
            for rule in (*self.active, *self.dropped)
            if rule.type not in ("ESModule", "CommonJS")
            for glob in rule.globs
        }
        return f"/({'|'.join(sorted(tails))})$" if tails else None


def _first(rules: Iterable[Rule], path: str, *, loose: bool) -> Rule | None:
    for rule in rules:
        if any(glob_pattern(glob, loose=loose).fullmatch(path) for glob in rule.globs):
            return rule
    return None


def glob_pattern(glob: str, *, loose: bool) -> re.Pattern[str]:
    """Return `glob` as a pattern; only `*` and `**` are special.

    `loose` is how a bundle reads it: `*` crosses folders, and `?module` is no part of
    a file's name.
    """
    if loose:
        glob = glob.removesuffix(_QUERY)
    return re.compile(_translate(glob, star=".*" if loose else "[^/]*"))


def _translate(glob: str, *, star: str) -> str:
    parts = re.split(r"(\*\*/|\*+)", glob)
    return "".join(
        "(?:.*/)?"
        if part == "**/"
        else (".*" if len(part) > 1 else star)
        if part.startswith("*")
        else re.escape(part)
        for part in parts
    )
