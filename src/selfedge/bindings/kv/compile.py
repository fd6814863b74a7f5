"""A KV binding → what the engine needs for it."""

from selfedge.binding import Backend, Fragment, Row, Site
from selfedge.bindings.kv.config import KVNamespace

KIND = "kv"


def compile_namespace(entry: KVNamespace, site: Site) -> Fragment:  # noqa: ARG001
    """Return the binding `entry` and the service behind it."""
    backend = Backend(kind=KIND, resource=entry.namespace)
    return Fragment(
        bindings=[{"name": entry.binding, "kvNamespace": {"name": backend.service}}],
        backends=[backend],
        rows=[
            Row(
                name=f"env.{entry.binding}",
                kind="KV namespace",
                detail=entry.namespace,
            )
        ],
    )
