"""Queues: messages from Workers to Workers."""

from selfedge.binding import Binding, Upload
from selfedge.bindings.queues.compile import KIND, compile_entry
from selfedge.bindings.queues.config import Entry, entries, parse, uploaded

BINDING: Binding[Entry] = Binding(
    kind=KIND,
    table="queues",
    parse=parse,
    compile=compile_entry,
    upload=Upload(
        types=frozenset({"queue"}),
        table=uploaded,
        entries=entries,
        check="selfedge.bindings.queues.api:check",
    ),
    serve="selfedge.bindings.queues.server:serve",
    routes="selfedge.bindings.queues.api:routes",
    commands="selfedge.bindings.queues.commands:group",
    awake=True,
)
