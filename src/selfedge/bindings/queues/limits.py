"""Queues' documented limits (developers.cloudflare.com/queues/platform/limits)."""

MESSAGE_MAX_BYTES = 128_000
BATCH_MAX_MESSAGES = 100  # of a send, and of a delivery
BATCH_MAX_BYTES = 256_000
BATCH_SLACK_BYTES = 32_000  # wrangler dev takes so much more: metadata counts, too
DELAY_MAX_S = 86_400
RETENTION_MIN_S = 60
RETENTION_MAX_S = 1_209_600  # 14 days
RETENTION_S = 345_600  # 4 days
RETRIES_MAX = 100
BATCH_WAIT_MAX_S = 60
CONCURRENCY_MAX = 250
BACKLOG_MAX_BYTES = 25 * 1024**3
QUEUES_MAX = 10_000
NAME_MAX_CHARS = 63
VISIBILITY_MAX_MS = 43_200_000  # 12 hours

# A consumer's, where it says nothing
BATCH_SIZE = 10
BATCH_WAIT_S = 5
RETRIES = 3
PULL_SIZE = 5
VISIBILITY_MS = 30_000
AUTO_CONCURRENCY = 10
"""Ours: batches at once for a consumer without `max_concurrency`."""

INTERRUPTIONS = 3
"""Ours: attempts beyond its retries that a message gets when processes end under it,
as they do when a node stops: that is not the message's fault."""
