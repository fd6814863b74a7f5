"""Rate limiting: how often a key has come in this period."""

from selfedge.binding import Binding, Upload
from selfedge.bindings.ratelimit.compile import KIND, compile_limit, compile_unsafe
from selfedge.bindings.ratelimit.config import (
    TYPE,
    RateLimit,
    UnsafeBinding,
    entries,
    parse,
    parse_unsafe,
    unsafe_entries,
    uploaded,
)

BINDING: Binding[RateLimit] = Binding(
    kind=KIND,
    table="ratelimits",
    parse=parse,
    compile=compile_limit,
    upload=Upload(types=frozenset({TYPE}), table=uploaded, entries=entries),
    serve="selfedge.bindings.ratelimit.server:serve",
)

UNSAFE: Binding[UnsafeBinding] = Binding(
    kind="unsafe",
    table="unsafe",
    parse=parse_unsafe,
    compile=compile_unsafe,
    upload=Upload(types=frozenset(), table=uploaded, entries=unsafe_entries),
)
