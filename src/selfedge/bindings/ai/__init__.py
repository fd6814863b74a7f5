"""Workers AI: text generation and embeddings, computed on this machine."""

from selfedge.binding import Binding, Upload
from selfedge.bindings.ai.compile import compile_binding
from selfedge.bindings.ai.config import AIBinding, entries, parse, uploaded

BINDING: Binding[AIBinding] = Binding(
    kind="ai",
    table="ai",
    parse=parse,
    compile=compile_binding,
    upload=Upload(types=frozenset({"ai"}), table=uploaded, entries=entries),
    serve="selfedge.bindings.ai.server:serve",
    routes="selfedge.bindings.ai.api:routes",
    commands="selfedge.bindings.ai.commands:group",
)
