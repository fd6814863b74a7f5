"""Workers KV's documented limits (developers.cloudflare.com/kv/platform/limits)."""

KEY_MAX_BYTES = 512
VALUE_MAX_BYTES = 25 * 1024 * 1024
METADATA_MAX_BYTES = 1024
TTL_MIN_S = 60
CACHE_TTL_MIN_S = 30
LIST_MAX_KEYS = 1000
BULK_MAX_KEYS = 100
BULK_MAX_BYTES = 25 * 1024 * 1024
NAMESPACES_MAX = 1000
TITLE_MAX_CHARS = 512
HTTP_BULK_MAX_KEYS = 10_000
"""Of a bulk write or delete of the control API; its body has at most 100 MiB."""

TIME_MAX_S = 2**53
"""Times above are no exact integers in JavaScript."""
