"""How the Worker's code becomes modules: the keys of a wrangler file about building."""

import os
from collections.abc import Sequence
from pathlib import Path

from selfedge.manifest.config import Config, RuleEntry
from selfedge.manifest.model import Build, ModuleType, Rule

DEFAULT_RULES = (
    RuleEntry(type="Text", globs=("**/*.txt", "**/*.html", "**/*.sql")),
    RuleEntry(type="Data", globs=("**/*.bin",)),
    RuleEntry(type="CompiledWasm", globs=("**/*.wasm", "**/*.wasm?module")),
)
"""What wrangler adds behind the user's rules."""


def build(config: Config, root: Path) -> tuple[Build, list[str]]:
    """Return how to build, and warnings; relative paths start at `root`."""
    rules, warnings = effective_rules(config.rules)
    command = config.build.command or None
    watched = config.build.watch_dir
    folders = (watched,) if isinstance(watched, str) else watched
    made = Build(
        rules=rules,
        no_bundle=config.no_bundle,
        find_additional_modules=config.find_additional_modules,
        base_dir=joined(root, config.base_dir),
        alias=config.alias,
        define=config.define,
        minify=config.minify,
        keep_names=config.keep_names,
        tsconfig=joined(root, config.tsconfig),
        jsx_factory=config.jsx_factory,
        jsx_fragment=config.jsx_fragment,
        command=command,
        command_cwd=(joined(root, config.build.cwd) or root) if command else None,
        watch_dirs=tuple(root / folder for folder in folders) if command else (),
    )
    return made, warnings


def joined(root: Path, path: str | None) -> Path | None:
    """Return `path` as seen from `root`, without `..` inside it."""
    return Path(os.path.normpath(root / path)) if path else None


def effective_rules(given: Sequence[RuleEntry]) -> tuple[list[Rule], list[str]]:
    """Return `given` and the default rules, less those that an earlier one ends.

    A rule ends its type: later rules of that type count only if it says
    `fallthrough = true`.
    """
    rules: list[Rule] = []
    warnings: list[str] = []
    ended: dict[ModuleType, RuleEntry] = {}
    for rule in (*given, *DEFAULT_RULES):
        if (end := ended.get(rule.type)) is not None:
            if end.fallthrough is None:
                warnings.append(_ignored(rule, end))
            continue
        if rule.fallthrough is not True:
            ended[rule.type] = rule
        rules.append(
            Rule(type=rule.type, globs=rule.globs, fallthrough=rule.fallthrough is True)
        )
    return rules, warnings


def _ignored(rule: RuleEntry, end: RuleEntry) -> str:
    return (
        f"The rule for {', '.join(rule.globs)} ({rule.type}) is ignored: the one for "
        f"{', '.join(end.globs)} comes first. Give that `fallthrough = true` to use "
        "both, or `fallthrough = false` to silence this"
    )
