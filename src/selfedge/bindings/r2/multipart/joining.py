"""Which parts become an object, and by what rules; pure."""

import hashlib
from collections.abc import Mapping, Sequence

from selfedge.bindings.r2 import errors, limits
from selfedge.bindings.r2.model import Part
from selfedge.bindings.r2.rows import PartEntry


def chosen(
    named: Sequence[Part], uploaded: Mapping[int, PartEntry]
) -> Sequence[PartEntry]:
    """Return the parts that a client names, in order of their numbers.

    Raises:
        R2Error: one is not there, or named twice, or breaks the rules of sizes.
    """
    numbers = {part.number for part in named}
    if len(numbers) != len(named):
        raise errors.InvalidPart("One of the parts is named more than once.")
    if not named:
        raise errors.InvalidPart("An upload is completed with one part or more.")
    if any(
        (found := uploaded.get(part.number)) is None or found.etag != part.etag
        for part in named
    ):
        raise errors.InvalidPart
    parts = [uploaded[number] for number in sorted(numbers)]
    _check_sizes(parts)
    return parts


def etag(parts: Sequence[PartEntry]) -> str:
    """Return the etag of an object of these parts: that of S3."""
    joined = b"".join(bytes.fromhex(part.md5) for part in parts)
    md5 = hashlib.md5(joined, usedforsecurity=False).hexdigest()
    return f"{md5}-{len(parts)}"


def _check_sizes(parts: Sequence[PartEntry]) -> None:
    *others, last = parts
    if any(part.size < limits.PART_MIN_BYTES for part in others):
        raise errors.EntityTooSmall
    sizes = {part.size for part in others}
    if len(sizes) > 1 or last.size > max(sizes, default=last.size):
        raise errors.BadUpload
    if sum(part.size for part in parts) > limits.OBJECT_MAX_BYTES:
        raise errors.EntityTooLarge
