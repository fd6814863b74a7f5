"""Durable Objects: the engine runs and stores them; we name and place them."""

from selfedge.binding import Binding, Upload
from selfedge.bindings.durable_objects.compile import compile_class, compile_object
from selfedge.bindings.durable_objects.config import (
    DurableObject,
    HostedClass,
    entries,
    parse_migrations,
    parse_objects,
    uploaded,
)

CLASSES: Binding[HostedClass] = Binding(
    kind="durable_object_class",
    table="migrations",
    parse=parse_migrations,
    compile=compile_class,
)

BINDING: Binding[DurableObject] = Binding(
    kind="durable_object",
    table="durable_objects",
    parse=parse_objects,
    compile=compile_object,
    upload=Upload(
        types=frozenset({"durable_object_namespace"}), table=uploaded, entries=entries
    ),
)
