"""The Cache API: `caches.default` and `caches.open(name)`."""

from selfedge.binding import Binding
from selfedge.bindings.cache.compile import compile_cache
from selfedge.bindings.cache.config import CacheConfig, parse

BINDING: Binding[CacheConfig] = Binding(
    kind="cache",
    table=None,
    parse=parse,
    compile=compile_cache,
    serve="selfedge.bindings.cache.server:serve",
)
