"""Workers AI: text generation and embeddings, computed on this machine."""

from selfedge.binding import Binding
from selfedge.bindings.ai.compile import compile_binding
from selfedge.bindings.ai.config import AIBinding, parse

BINDING: Binding[AIBinding] = Binding(
    kind="ai",
    table="ai",
    parse=parse,
    compile=compile_binding,
    serve="selfedge.bindings.ai.server:serve",
    routes="selfedge.bindings.ai.api:routes",
    commands="selfedge.bindings.ai.commands:group",
)
