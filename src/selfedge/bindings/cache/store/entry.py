"""One stored response: the part that finds it, and the part that answers."""

import msgspec

from selfedge.bindings.cache.rfc9111.vary import Selectors


class Slot(msgspec.Struct, kw_only=True, array_like=True, eq=False):
    """What the index knows of a stored response."""

    number: int  # unique; larger is newer
    digest: bytes
    selectors: Selectors
    expires: float
    size_bytes: int  # what it counts for
    blob: str | None = None  # its body on disk, when that is large


class Content(msgspec.Struct, kw_only=True, array_like=True, frozen=True):
    """What a stored response answers with."""

    status: int
    reason: bytes
    fields: bytes  # header lines, each with its line end
    birth: float  # when its age was 0
    length: int  # of the body
    etag: str | None = None
    last_modified: str | None = None
    body: bytes = b""  # empty when it is a blob
