"""An R2 binding → what the engine needs for it."""

from selfedge.binding import Backend, Fragment, Row, Site
from selfedge.bindings.r2.config import Bucket

KIND = "r2"


def compile_bucket(entry: Bucket, site: Site) -> Fragment:  # noqa: ARG001
    """Return the binding `entry` and the service behind it."""
    backend = Backend(kind=KIND, resource=entry.bucket)
    return Fragment(
        bindings=[{"name": entry.binding, "r2Bucket": {"name": backend.service}}],
        backends=[backend],
        rows=[
            Row(name=f"env.{entry.binding}", kind="R2 bucket", detail=entry.bucket),
        ],
    )
