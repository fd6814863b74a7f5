"""D1: SQLite databases that Workers query."""

from selfedge.binding import Binding, Upload
from selfedge.bindings.d1.compile import KIND, compile_database
from selfedge.bindings.d1.config import D1Database, entries, parse, uploaded

BINDING: Binding[D1Database] = Binding(
    kind=KIND,
    table="d1_databases",
    parse=parse,
    compile=compile_database,
    upload=Upload(
        types=frozenset({"d1"}),
        table=uploaded,
        entries=entries,
        check="selfedge.bindings.d1.api:check",
    ),
    serve="selfedge.bindings.d1.server:serve",
    routes="selfedge.bindings.d1.api:routes",
    commands="selfedge.bindings.d1.commands:group",
)
