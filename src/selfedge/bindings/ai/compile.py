"""`ai` entries → the engine's own AI client, pointed at our service."""

from selfedge.binding import Backend, Fragment, Row, Site
from selfedge.bindings.ai.config import AIBinding

BACKEND = Backend(kind="ai", resource="default")
"""Models are the node's, so every Worker shares one backend."""


def compile_binding(entry: AIBinding, _site: Site) -> Fragment:
    """Return what `entry` adds to its Worker."""
    client = {
        "moduleName": "cloudflare-internal:ai-api",
        "innerBindings": [{"name": "fetcher", "service": {"name": BACKEND.service}}],
    }
    return Fragment(
        bindings=[{"name": entry.binding, "wrapped": client}],
        backends=[BACKEND],
        rows=[
            Row(
                name=f"env.{entry.binding}",
                kind="Workers AI",
                detail="local models (`selfedge ai models`)",
            )
        ],
    )
