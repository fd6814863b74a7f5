"""D1's documented limits (developers.cloudflare.com/d1/platform/limits)."""

from dataclasses import dataclass

STATEMENT_MAX_BYTES = 100_000
PARAMETERS_MAX = 100
VALUE_MAX_BYTES = 2_000_000  # a string, a blob or a row
COLUMNS_MAX = 100
LIKE_PATTERN_MAX_BYTES = 50
FUNCTION_ARGUMENTS_MAX = 32
QUERY_MAX_S = 30.0
DATABASE_MAX_BYTES = 10_000_000_000
DATABASES_MAX = 50_000
IMPORT_MAX_BYTES = 5_000_000_000
TIME_TRAVEL_DAYS = 30

# The engine's, for its own SQLite
EXPRESSION_DEPTH_MAX = 100
COMPOUND_SELECT_MAX = 5
TRIGGER_DEPTH_MAX = 10

# Ours
BATCH_BODY_MAX_BYTES = 128 * 1024 * 1024
RESULT_MAX_BYTES = 128 * 1024 * 1024  # a Worker has no more memory than that
IMPORT_STATEMENT_MAX_BYTES = 5_000_000  # an exported row of 2 MB, in hexadecimal
WAITING_MAX = 10_000
NAME_MAX_CHARS = 128
DOWNLOAD_TTL_S = 3600.0
UPLOAD_TTL_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Those that a node's user may choose."""

    query_s: float = QUERY_MAX_S
    database_bytes: int = DATABASE_MAX_BYTES
