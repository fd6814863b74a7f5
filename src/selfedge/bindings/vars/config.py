"""The table `vars`, and what `.dev.vars` adds to it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec


class Var(msgspec.Struct, frozen=True, kw_only=True):
    """One variable; a string stays a string, all else arrives parsed."""

    name: str
    value: object


def parse(table: object) -> Sequence[Var]:
    """Read {name: value}."""
    variables = msgspec.convert(table, dict[str, object])
    return [Var(name=name, value=value) for name, value in variables.items()]


def uploaded(entries: Sequence[Mapping[str, Any]]) -> object:
    """Return the table of variables and secrets; a secret comes with its text."""
    return {
        one["name"]: one["json"] if one["type"] == "json" else one["text"]
        for one in entries
    }


def entries(table: object) -> Sequence[Mapping[str, Any]]:
    """Return {type: "plain_text", name, text}, or {type: "json", name, json}."""
    return [
        {"type": "plain_text", "name": one.name, "text": one.value}
        if isinstance(one.value, str)
        else {"type": "json", "name": one.name, "json": one.value}
        for one in parse(table)
    ]
