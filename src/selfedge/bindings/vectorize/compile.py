"""One entry of `[[vectorize]]` → the engine's own Vectorize client."""

from selfedge.binding import Backend, Fragment, Row, Site
from selfedge.bindings.vectorize.config import IndexBinding
from selfedge.types import Struct


def compile_index(config: IndexBinding, _site: Site) -> Fragment:
    """Wire `env.<binding>` to its index, by the V2 protocol."""
    backend = Backend(kind="vectorize", resource=config.index_name)
    inner: list[Struct] = [
        {"name": "fetcher", "service": {"name": backend.service}},
        {"name": "indexId", "text": config.index_name},
        {"name": "indexVersion", "text": "v2"},
        {"name": "useNdJson", "json": "true"},
    ]
    wrapped = {
        "moduleName": "cloudflare-internal:vectorize-api",
        "innerBindings": inner,
    }
    return Fragment(
        bindings=({"name": config.binding, "wrapped": wrapped},),
        backends=(backend,),
        rows=(
            Row(
                name=f"env.{config.binding}",
                kind="Vectorize index",
                detail=config.index_name,
            ),
        ),
    )
