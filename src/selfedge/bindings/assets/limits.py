"""Numbers that Cloudflare documents for static assets."""

FILES_MAX = 20_000
"""Of a version. https://developers.cloudflare.com/workers/platform/limits/"""

FILE_MAX_BYTES = 25 * 1024 * 1024

WORKER_FIRST_RULES_MAX = 100
"""Rules of `run_worker_first`, as wrangler 4.164 checks them."""

WORKER_FIRST_RULE_MAX_CHARS = 100
