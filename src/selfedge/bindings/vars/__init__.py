"""Plain-text and JSON variables, and secrets."""

from selfedge.binding import Binding, Upload
from selfedge.bindings.vars.compile import compile_var
from selfedge.bindings.vars.config import Var, entries, parse, uploaded

BINDING: Binding[Var] = Binding(
    kind="var",
    table="vars",
    parse=parse,
    compile=compile_var,
    upload=Upload(
        types=frozenset({"plain_text", "json", "secret_text"}),
        table=uploaded,
        entries=entries,
    ),
)
