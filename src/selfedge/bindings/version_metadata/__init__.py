"""The id, tag and time of the running version."""

from selfedge.binding import Binding, Upload
from selfedge.bindings.version_metadata.compile import compile_metadata
from selfedge.bindings.version_metadata.config import (
    VersionMetadata,
    entries,
    parse,
    uploaded,
)

BINDING: Binding[VersionMetadata] = Binding(
    kind="version_metadata",
    table="version_metadata",
    parse=parse,
    compile=compile_metadata,
    upload=Upload(
        types=frozenset({"version_metadata"}), table=uploaded, entries=entries
    ),
)
