"""Limits of cron triggers (developers.cloudflare.com/workers/configuration)."""

EXPRESSION_MAX_CHARS = 100

RETRIES = 6
"""Of an occurrence whose handler fails, as in the engine's own scheduler."""

RETRY_S = 2.0
"""Before the first retry; each waits twice as long as the one before."""

OWED_MAX_S = 600.0
"""Ours: how long an occurrence is still run that a stop of the node kept back."""
