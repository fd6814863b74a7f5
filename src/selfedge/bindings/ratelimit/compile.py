"""Rate limits → a module of ours that asks our service."""

import json
from importlib.resources import files

from selfedge.binding import Backend, Fragment, Row, Site
from selfedge.bindings.ratelimit.config import RateLimit, UnsafeBinding

KIND = "ratelimit"
MODULE = "selfedge-internal:ratelimit"


def compile_limit(entry: RateLimit, _site: Site) -> Fragment:
    """Return the binding `entry`; those of a namespace share their counters."""
    backend = Backend(kind=KIND, resource=entry.namespace_id)
    simple = {"limit": entry.simple.limit, "period": entry.simple.period}
    source = files("selfedge.bindings.ratelimit").joinpath("worker.js").read_text()
    wrapped = {
        "moduleName": MODULE,
        "innerBindings": [
            {"name": "service", "service": {"name": backend.service}},
            {"name": "simple", "json": json.dumps(simple)},
        ],
    }
    module = {"name": MODULE, "internal": True, "esModule": source}
    detail = f"{entry.simple.limit} in {entry.simple.period} s"
    return Fragment(
        bindings=[{"name": entry.name, "wrapped": wrapped}],
        extensions=[{"modules": [module]}],
        backends=[backend],
        rows=[Row(name=f"env.{entry.name}", kind="rate limit", detail=detail)],
    )


def compile_unsafe(entry: UnsafeBinding, site: Site) -> Fragment:
    """Return the rate limit that `entry` is; of others, only say so."""
    if (limit := entry.rate_limit) is not None:
        return compile_limit(limit, site)
    row = Row(
        name=f"env.{entry.name}",
        kind=f"unsafe {entry.type}",
        detail="not supported: it is left out",
    )
    return Fragment(rows=[row])
