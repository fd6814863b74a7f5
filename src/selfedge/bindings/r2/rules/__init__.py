"""What R2 accepts, when conditions hold, and which bytes a range means; pure."""

import re
from collections.abc import Mapping, Sequence

from selfedge.bindings.r2 import errors, limits
from selfedge.bindings.r2.model import (
    STORAGE_CLASSES,
    Conditions,
    Etag,
    Object,
    Range,
)

_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_BYTE_RANGE = re.compile(r"\s*([0-9]{0,19})\s*-\s*([0-9]{0,19})\s*")


def check_key(key: str) -> str:
    """Return `key`.

    Raises:
        InvalidKey: it is empty, over 1024 bytes, or not UTF-8.
    """
    try:
        size = len(key.encode())
    except UnicodeEncodeError as error:
        raise errors.InvalidKey from error
    if not 1 <= size <= limits.KEY_MAX_BYTES:
        raise errors.InvalidKey
    return key


def check_bucket_name(name: str) -> None:
    """Raise InvalidBucketName when no bucket may be made of that name."""
    if not _BUCKET_NAME.fullmatch(name):
        raise errors.InvalidBucketName


def check_size(size_bytes: int) -> None:
    """Raise EntityTooLarge when a put, or a part, has more than 5 GiB - 5 MiB."""
    if size_bytes > limits.VALUE_MAX_BYTES:
        raise errors.EntityTooLarge


def check_custom(custom: Mapping[str, str]) -> None:
    """Raise MetadataTooLarge when custom metadata has over 8192 bytes."""
    size = sum(map(_serialised, (*custom, *custom.values())))
    if size > limits.METADATA_MAX_BYTES:
        raise errors.MetadataTooLarge


def _serialised(text: str) -> int:
    """Return how many bytes the engine keeps of `text`: one or two a unit."""
    try:
        return len(text.encode("latin-1"))
    except UnicodeEncodeError:
        return len(text.encode("utf-16-le", "surrogatepass"))


def storage_class(given: str | None, default: str) -> str:
    """Return the storage class of a new object.

    Raises:
        InvalidArgument: R2 has no such class.
    """
    if not given:
        return default
    if given not in STORAGE_CLASSES:
        raise errors.InvalidArgument(
            f"The storage class {given[:40]!r} is not one of "
            f"{', '.join(STORAGE_CLASSES)}."
        )
    return given


def check_limit(limit: int) -> None:
    """Raise InvalidMaxKeys unless a list may have `limit` entries."""
    if not 1 <= limit <= limits.LIST_MAX_KEYS:
        raise errors.InvalidMaxKeys


def check_delete(count: int) -> None:
    """Raise InvalidArgument when one call may not delete `count` keys."""
    if count > limits.DELETE_MAX_KEYS:
        raise errors.InvalidArgument(
            f"A delete takes at most {limits.DELETE_MAX_KEYS} keys, not {count}: "
            "delete the others in further calls."
        )


def met(conditions: Conditions | None, found: Object | None) -> bool:
    """Tell whether `conditions` hold of the object that is there."""
    if conditions is None:
        return True
    if found is None:
        return conditions.etag_matches is None and conditions.uploaded_after is None
    matches = conditions.etag_matches is not None
    differs = conditions.etag_does_not_match is not None
    match = not matches or _among(conditions.etag_matches, found.etag, weak=False)
    other = not differs or not _among(
        conditions.etag_does_not_match, found.etag, weak=True
    )
    return (
        match
        and other
        and ((differs and other) or _after(conditions, found.uploaded))
        and ((matches and match) or _before(conditions, found.uploaded))
    )


def _among(etags: Sequence[Etag] | None, etag: str, *, weak: bool) -> bool:
    return any(
        one.type == "wildcard" or (one.value == etag and (weak or one.type == "strong"))
        for one in etags or ()
    )


def _after(conditions: Conditions, uploaded: int) -> bool:
    bound = conditions.uploaded_after
    return bound is None or _time(conditions, bound) < _time(conditions, uploaded)


def _before(conditions: Conditions, uploaded: int) -> bool:
    bound = conditions.uploaded_before
    return bound is None or _time(conditions, uploaded) < _time(conditions, bound)


def _time(conditions: Conditions, ms: int) -> int:
    return ms // 1000 if conditions.seconds_granularity else ms


def span(asked: Range | str | None, size: int) -> tuple[int, int]:
    """Return (start, length) of what is asked of `size` bytes.

    A header that is no single range of these bytes asks for all of them.

    Raises:
        InvalidRange: the range lies outside.
    """
    if isinstance(asked, str):
        return header_span(asked, size) or (0, size)
    if asked is None:
        return 0, size
    if asked.suffix is not None:
        length = min(asked.suffix, size)
        offset = size - length
    else:
        offset = asked.offset or 0
        length = size - offset if asked.length is None else asked.length
    if not 0 <= offset <= size or length <= 0:
        raise errors.InvalidRange
    return offset, min(length, size - offset)


def header_span(header: str, size: int) -> tuple[int, int] | None:
    """Return (start, length) of a `Range` header; None when it is to be ignored."""
    unit, _, text = header.partition("=")
    found = _BYTE_RANGE.fullmatch(text)
    if unit.strip().lower() != "bytes" or found is None:
        return None
    first, last = found.groups()
    if not first:
        length = min(int(last or 0), size)
        return (size - length, length) if length else None
    start = int(first)
    end = min(int(last) if last else size - 1, size - 1)
    return (start, end - start + 1) if start <= end else None
