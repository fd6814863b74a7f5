"""A Worker's `caches` → the engine's `cacheApiOutbound`."""

from selfedge.binding import Backend, Fragment, Site
from selfedge.bindings.cache.config import CacheConfig
from selfedge.bindings.cache.wire import CF_HEADER, PROTO_HEADER


def compile_cache(_config: CacheConfig, site: Site) -> Fragment:
    """Give the Worker a cache that is its own."""
    backend = Backend(
        kind="cache",
        resource=site.worker,
        http={"forwardedProtoHeader": PROTO_HEADER, "cfBlobHeader": CF_HEADER},
    )
    return Fragment(
        worker={"cacheApiOutbound": {"name": backend.service}}, backends=(backend,)
    )
