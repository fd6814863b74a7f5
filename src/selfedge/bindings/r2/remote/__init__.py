"""Bodies of objects in an S3-compatible store, for those who outgrow a disk."""

from selfedge.bindings.r2.remote.places import Places, state_name
from selfedge.bindings.r2.remote.table import Remote, read

__all__ = ["Places", "Remote", "read", "state_name"]
