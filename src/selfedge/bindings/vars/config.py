"""The table `vars`, and what `.dev.vars` adds to it."""

from collections.abc import Sequence

import msgspec


class Var(msgspec.Struct, frozen=True, kw_only=True):
    """One variable; a string stays a string, all else arrives parsed."""

    name: str
    value: object


def parse(table: object) -> Sequence[Var]:
    """Read {name: value}."""
    variables = msgspec.convert(table, dict[str, object])
    return [Var(name=name, value=value) for name, value in variables.items()]
