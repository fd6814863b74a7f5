"""The `ai` table of a wrangler file: one table, not a list."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec


class AIBinding(msgspec.Struct, frozen=True, kw_only=True):
    """`[ai] binding = "AI"`."""

    binding: str
    remote: bool = False  # wrangler's own; inference is local here in any case
    staging: bool = False  # wrangler's own, likewise


def parse(table: object) -> Sequence[AIBinding]:
    """Read the table.

    Raises:
        msgspec.ValidationError: a key is missing or of the wrong type.
    """
    return [msgspec.convert(table, AIBinding)]


def uploaded(entries: Sequence[Mapping[str, Any]]) -> object:
    """Return the table of {type: "ai", name}; a Worker has one at most."""
    if len(entries) > 1:
        raise ValueError("a Worker has one AI binding at most")
    return {"binding": entries[0]["name"]}


def entries(table: object) -> Sequence[Mapping[str, Any]]:
    """Return {type: "ai", name} for the table.

    Raises:
        msgspec.ValidationError: a key is missing or of the wrong type.
    """
    return [{"type": "ai", "name": one.binding} for one in parse(table)]
