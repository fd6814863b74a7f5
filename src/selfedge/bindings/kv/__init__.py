"""Workers KV."""

from selfedge.binding import Binding
from selfedge.bindings.kv.compile import KIND, compile_namespace
from selfedge.bindings.kv.config import KVNamespace, parse

BINDING: Binding[KVNamespace] = Binding(
    kind=KIND,
    table="kv_namespaces",
    parse=parse,
    compile=compile_namespace,
    serve="selfedge.bindings.kv.server:serve",
)
