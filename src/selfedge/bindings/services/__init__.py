"""Service bindings: one Worker calls another, by fetch or RPC."""

from selfedge.binding import Binding, Upload
from selfedge.bindings.services.compile import compile_service
from selfedge.bindings.services.config import Service, entries, parse, uploaded

BINDING: Binding[Service] = Binding(
    kind="service",
    table="services",
    parse=parse,
    compile=compile_service,
    upload=Upload(types=frozenset({"service"}), table=uploaded, entries=entries),
)
