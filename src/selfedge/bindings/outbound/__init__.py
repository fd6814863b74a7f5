"""Global fetch: public addresses, and origins that the user maps."""

from selfedge.binding import Binding
from selfedge.bindings.outbound.compile import compile_outbound
from selfedge.bindings.outbound.config import Outbound, parse

BINDING: Binding[Outbound] = Binding(
    kind="outbound", table=None, parse=parse, compile=compile_outbound
)
