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
├── MethodNotAllowed     405
└── of the control API alone:
    ├── KeyNotFound          404
    ├── NamespaceNotFound    404
    ├── NamespaceExists      400  the title is another namespace's
    ├── InvalidTitle         400
    ├── InvalidOrder         400
    └── TooManyNamespaces    400
"""

from typing import ClassVar

from selfedge.bindings.kv import limits
from selfedge.errors import UserError


class KVError(UserError):
    """Root of what KV refuses.

    `status` is the answer's HTTP status, `number` the code in an envelope.
    """

    code = "kv"
    status: ClassVar[int] = 400
    number: ClassVar[int] = 10029


class InvalidRequest(KVError):
    """Not a request of the KV protocol."""

    code = "kv-request"


class InvalidKey(KVError):
    """The key is empty, "." or "..", or not UTF-8."""

    code = "kv-key"
    number = 10039


class KeyTooLong(KVError):
    """The key, or the prefix of a list, is over 512 bytes of UTF-8."""

    code = "kv-key-too-long"
    number = 10030
    status = 414

    def __init__(self, size_bytes: int) -> None:
        super().__init__(
            f"UTF-8 encoded length of {size_bytes} exceeds key length limit of "
            f"{limits.KEY_MAX_BYTES}."
        )


class ValueTooLarge(KVError):
    """The value is over 25 MiB."""

    code = "kv-value-too-large"
    number = 10024
    status = 413

    def __init__(self, size_bytes: int) -> None:
        super().__init__(
            f"Value length of {size_bytes} exceeds limit of {limits.VALUE_MAX_BYTES}."
        )
        self.size_bytes = size_bytes


class InvalidMetadata(KVError):
    """The metadata is not JSON."""

    code = "kv-metadata"
    number = 10044

    def __init__(self) -> None:
        super().__init__("Metadata must be valid JSON.")


class MetadataTooLarge(KVError):
    """The metadata is over 1024 bytes of JSON."""

    code = "kv-metadata-too-large"
    number = 10044
    status = 413

    def __init__(self, size_bytes: int) -> None:
        super().__init__(
            f"Metadata length of {size_bytes} exceeds limit of "
            f"{limits.METADATA_MAX_BYTES}."
        )


class InvalidExpiration(KVError):
    """`expiration` is no whole number, past, or less than a minute ahead."""

    code = "kv-expiration"
    number = 10033
    WHOLE: ClassVar[str] = (
        "Please specify integer greater than the current number of seconds since the "
        "UNIX epoch."
    )

    def __init__(self, given: object, remedy: str) -> None:
        super().__init__(f"Invalid expiration of {given}. {remedy}")


class InvalidTtl(KVError):
    """`expirationTtl` is no whole number, or less than a minute."""

    code = "kv-expiration-ttl"
    number = 10033
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
    number = 10028

    def __init__(self, given: object, remedy: str) -> None:
        super().__init__(f"Invalid key_count_limit of {given}. {remedy}")


class InvalidCursor(KVError):
    """The cursor is not one that a list returned."""

    code = "kv-cursor"
    number = 10038

    def __init__(self) -> None:
        super().__init__("Invalid cursor.")


class InvalidBulk(KVError):
    """A bulk get with too many keys, a wrong type or a value that is no JSON."""

    code = "kv-bulk"


class BulkTooLarge(KVError):
    """The values of a bulk get are over 25 MiB together."""

    code = "kv-bulk-too-large"
    number = 10024
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


class KeyNotFound(KVError):
    """The control API was asked for a key that there is not."""

    code = "kv-key-not-found"
    status = 404
    number = 10009

    def __init__(self, key: str) -> None:
        super().__init__(f"get: 'key not found': {key[:100]}")


class NamespaceNotFound(KVError):
    """There is no such namespace."""

    code = "kv-namespace-not-found"
    status = 404
    number = 10013

    def __init__(self, namespace: str) -> None:
        super().__init__(
            f"namespace not found: {namespace[:100]!r} is neither one that was created "
            "nor one that a Worker uses. selfedge kv namespace list shows all."
        )


class NamespaceExists(KVError):
    """Another namespace has the title."""

    code = "kv-namespace-exists"
    number = 10014

    def __init__(self, title: str) -> None:
        super().__init__(
            f"a namespace with this account ID and title already exists: {title[:100]}"
        )


class InvalidTitle(KVError):
    """The title is missing or too long."""

    code = "kv-title"
    number = 10019

    def __init__(self) -> None:
        super().__init__(
            f"A title has 1 to {limits.TITLE_MAX_CHARS} printable characters."
        )


class InvalidOrder(KVError):
    """A list of namespaces has no such order."""

    code = "kv-order"
    number = 10040

    def __init__(self) -> None:
        super().__init__("order must be id or title, direction asc or desc.")


class TooManyNamespaces(KVError):
    """The account has as many as it can."""

    code = "kv-too-many-namespaces"
    number = 10018

    def __init__(self) -> None:
        super().__init__(
            f"An account has at most {limits.NAMESPACES_MAX} namespaces. Delete one."
        )
