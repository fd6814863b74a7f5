"""Workers KV."""

from selfedge.binding import Binding, Upload
from selfedge.bindings.kv.compile import KIND, compile_namespace
from selfedge.bindings.kv.config import KVNamespace, entries, parse, uploaded

BINDING: Binding[KVNamespace] = Binding(
    kind=KIND,
    table="kv_namespaces",
    parse=parse,
    compile=compile_namespace,
    upload=Upload(
        types=frozenset({"kv_namespace"}),
        table=uploaded,
        entries=entries,
        check="selfedge.bindings.kv.api:check",
    ),
    serve="selfedge.bindings.kv.server:serve",
    routes="selfedge.bindings.kv.api:routes",
    commands="selfedge.bindings.kv.commands:group",
)
