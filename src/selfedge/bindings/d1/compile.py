"""One entry of `d1_databases` → the engine's own D1 client."""

from urllib.parse import quote, unquote

from selfedge.binding import Backend, Fragment, Row, Site
from selfedge.bindings.d1.config import D1Database

KIND = "d1"


def compile_database(config: D1Database, site: Site) -> Fragment:
    """Wire `env.<binding>` to its database."""
    name = config.name(site.worker)
    backend = Backend(kind=KIND, resource=resource(config.id or "", name))
    inner = [{"name": "fetcher", "service": {"name": backend.service}}]
    wrapped = {"moduleName": "cloudflare-internal:d1-api", "innerBindings": inner}
    return Fragment(
        bindings=({"name": config.binding, "wrapped": wrapped},),
        backends=(backend,),
        rows=(Row(name=f"env.{config.binding}", kind="D1 database", detail=name),),
    )


def resource(identifier: str, name: str) -> str:
    """Return what stands for a database on the wire: its id, may be "", and name."""
    return f"{quote(identifier, safe='')}/{name}"


def from_resource(text: str) -> tuple[str, str]:
    """Return id and name of what `resource` made."""
    identifier, _, name = text.partition("/")
    return unquote(identifier), name
