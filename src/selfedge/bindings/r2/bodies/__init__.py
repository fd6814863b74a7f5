"""The bytes of objects: small ones in a row, others in blobs."""

from selfedge.bindings.r2.bodies.digests import Digests
from selfedge.bindings.r2.bodies.store import INLINE_MAX_BYTES, Bodies, Body

__all__ = ["INLINE_MAX_BYTES", "Bodies", "Body", "Digests"]
