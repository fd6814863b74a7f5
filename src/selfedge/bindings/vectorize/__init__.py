"""Vectorize: indexes of vectors with search by nearness."""

from selfedge.binding import Binding, Upload
from selfedge.bindings.vectorize.compile import compile_index
from selfedge.bindings.vectorize.config import IndexBinding, entries, parse, uploaded

BINDING: Binding[IndexBinding] = Binding(
    kind="vectorize",
    table="vectorize",
    parse=parse,
    compile=compile_index,
    upload=Upload(
        types=frozenset({"vectorize"}),
        table=uploaded,
        entries=entries,
        check="selfedge.bindings.vectorize.api:check",
    ),
    serve="selfedge.bindings.vectorize.server:serve",
    routes="selfedge.bindings.vectorize.api:routes",
)
