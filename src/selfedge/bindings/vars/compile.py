"""A variable → a text or JSON binding."""

import json

from selfedge.binding import Fragment, Row, Site
from selfedge.bindings.vars.config import Var
from selfedge.types import Struct

_SHOWN_MAX = 40


def compile_var(var: Var, site: Site) -> Fragment:
    """Return the binding of `var`; a secret's value is not shown in its row."""
    secret = var.name in site.secrets
    value = site.secrets.get(var.name, var.value)
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    arm = "text" if isinstance(value, str) else "json"
    binding: Struct = {"name": var.name, arm: text}
    row = Row(
        name=f"env.{var.name}",
        kind="secret" if secret else "variable",
        detail="(hidden)" if secret else _short(json.dumps(value, default=str)),
    )
    return Fragment(bindings=[binding], rows=[row])


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 1] + "…"
