"""Plain-text and JSON variables, and secrets."""

from selfedge.binding import Binding
from selfedge.bindings.vars.compile import compile_var
from selfedge.bindings.vars.config import Var, parse

BINDING: Binding[Var] = Binding(
    kind="var", table="vars", parse=parse, compile=compile_var
)
