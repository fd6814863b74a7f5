"""Every binding there is, in the order in which a Worker gets them."""

from collections.abc import Sequence

from selfedge.binding import AnyBinding
from selfedge.bindings import (
    ai,
    assets,
    cache,
    cron,
    d1,
    durable_objects,
    kv,
    outbound,
    queues,
    r2,
    ratelimit,
    services,
    vars,  # noqa: A004 - Cloudflare's word
    vectorize,
    version_metadata,
)

BINDINGS: Sequence[AnyBinding] = (
    kv.BINDING,
    d1.BINDING,
    r2.BINDING,
    queues.BINDING,
    cron.BINDING,
    durable_objects.CLASSES,
    durable_objects.BINDING,
    ai.BINDING,
    vectorize.BINDING,
    services.BINDING,
    ratelimit.BINDING,
    ratelimit.UNSAFE,
    assets.BINDING,
    version_metadata.BINDING,
    vars.BINDING,
    cache.BINDING,
    outbound.BINDING,
)
