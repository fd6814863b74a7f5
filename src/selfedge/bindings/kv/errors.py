"""What KV refuses, in Cloudflare's words: workerd shows them as `KV PUT failed: …`.

KVError
├── InvalidRequest       400  not a request of the KV protocol
├── InvalidKey           400  empty, "." or "..", or not UTF-8
├── KeyTooLong           414
├── ValueTooLarge        413
├── InvalidMetadata      400  not JSON
├── MetadataTooLarge     413
├── InvalidExpiration    400
├── InvalidTtl           400
├── InvalidCacheTtl      400
├── InvalidLimit         400
├── InvalidCursor        400
├── InvalidBulk          400  too many keys, a wrong type, a value that is no JSON
├── BulkTooLarge         413
└── MethodNotAllowed     405
"""

from typing import ClassVar

from selfedge.bindings.kv import limits
from selfedge.errors import UserError


class KVError(UserError):
    """Root of what KV refuses; `status` is the answer's HTTP status."""

    code = "kv"
    status: ClassVar[int] = 400


class InvalidRequest(KVError):
    """Not a request of the KV protocol."""

    code = "kv-request"


class InvalidKey(KVError):
    """The key is empty, "." or "..", or not UTF-8."""

    code = "kv-key"


class KeyTooLong(KVError):
    """The key, or the prefix of a list, is over 512 bytes of UTF-8."""

    code = "kv-key-too-long"
    status = 414

    def __init__(self, size_bytes: int) -> None:
        super().__init__(
            f"UTF-8 encoded length of {size_bytes} exceeds key length limit of "
            f"{limits.KEY_MAX_BYTES}."
        )


class ValueTooLarge(KVError):
    """The value is over 25 MiB."""

    code = "kv-value-too-large"
    status = 413

    def __init__(self, size_bytes: int) -> None:
        super().__init__(
            f"Value length of {size_bytes} exceeds limit of {limits.VALUE_MAX_BYTES}."
        )
        self.size_bytes = size_bytes


class InvalidMetadata(KVError):
    """The metadata is not JSON."""

    code = "kv-metadata"

    def __init__(self) -> None:
        super().__init__("Metadata must be valid JSON.")


class MetadataTooLarge(KVError):
    """The metadata is over 1024 bytes of JSON."""

    code = "kv-metadata-too-large"
    status = 413

    def __init__(self, size_bytes: int) -> None:
        super().__init__(
            f"Metadata length of {size_bytes} exceeds limit of "
            f"{limits.METADATA_MAX_BYTES}."
        )


class InvalidExpiration(KVError):
    """`expiration` is no whole number, past, or less than a minute ahead."""

    code = "kv-expiration"
    WHOLE: ClassVar[str] = (
        "Please specify integer greater than the current number of seconds since the "
        "UNIX epoch."
    )

    def __init__(self, given: object, remedy: str) -> None:
        super().__init__(f"Invalid expiration of {given}. {remedy}")


class InvalidTtl(KVError):
    """`expirationTtl` is no whole number, or less than a minute."""

    code = "kv-expiration-ttl"
    WHOLE: ClassVar[str] = "Please specify integer greater than 0."

    def __init__(self, given: object, remedy: str) -> None:
        super().__init__(f"Invalid expiration_ttl of {given}. {remedy}")


class InvalidCacheTtl(KVError):
    """`cacheTtl` is no whole number, or less than half a minute."""

    code = "kv-cache-ttl"

    def __init__(self, given: object) -> None:
        super().__init__(
            f"Invalid cache_ttl of {given}. Cache TTL must be at least "
            f"{limits.CACHE_TTL_MIN_S}."
        )


class InvalidLimit(KVError):
    """The `limit` of a list is no whole number from 1 to 1000."""

    code = "kv-limit"

    def __init__(self, given: object, remedy: str) -> None:
        super().__init__(f"Invalid key_count_limit of {given}. {remedy}")


class InvalidCursor(KVError):
    """The cursor is not one that a list returned."""

    code = "kv-cursor"

    def __init__(self) -> None:
        super().__init__("Invalid cursor.")


class InvalidBulk(KVError):
    """A bulk get with too many keys, a wrong type or a value that is no JSON."""

    code = "kv-bulk"


class BulkTooLarge(KVError):
    """The values of a bulk get are over 25 MiB together."""

    code = "kv-bulk-too-large"
    status = 413

    def __init__(self) -> None:
        size_mb = limits.BULK_MAX_BYTES // 1024 // 1024
        super().__init__(f"Total size of request exceeds the limit of {size_mb}MB")


class MethodNotAllowed(KVError):
    """KV has no such HTTP method."""

    code = "kv-method"
    status = 405

    def __init__(self) -> None:
        super().__init__("Method Not Allowed")
