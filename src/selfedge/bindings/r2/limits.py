"""R2's documented limits (developers.cloudflare.com/r2/platform/limits)."""

MIB = 1024 * 1024
KEY_MAX_BYTES = 1024
METADATA_MAX_BYTES = 8192
VALUE_MAX_BYTES = 5 * 1024 * MIB - 5 * MIB
"""Of one put, and of one part: 5 GiB less 5 MiB."""
PART_MIN_BYTES = 5 * MIB
PARTS_MAX = 10_000
OBJECT_MAX_BYTES = 5 * 1024 * 1024 * MIB - 5 * 1024 * MIB
"""Of an object that was uploaded in parts."""
LIST_MAX_KEYS = 1000
DELETE_MAX_KEYS = 1000
UPLOAD_MAX_S = 7 * 24 * 3600
"""An upload that nobody completed is aborted after a week."""
BUCKET_NAME_MIN, BUCKET_NAME_MAX = 3, 63
BLOCK_MAX_BYTES = 1024 * 1024
"""Of the JSON before a body: workerd reads no more of it."""
