"""Version metadata → a JSON binding."""

import json

from selfedge.binding import Fragment, Row, Site
from selfedge.bindings.version_metadata.config import VersionMetadata


def compile_metadata(entry: VersionMetadata, site: Site) -> Fragment:
    """Return {id, tag, timestamp} of the version that runs at `site`."""
    return Fragment(
        bindings=[{"name": entry.binding, "json": json.dumps(dict(site.version))}],
        rows=[
            Row(
                name=f"env.{entry.binding}",
                kind="version metadata",
                detail=site.version.get("id", ""),
            )
        ],
    )
