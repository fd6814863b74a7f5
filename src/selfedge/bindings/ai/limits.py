"""Documented numbers of Workers AI, and the few that are ours.

Source of the documented ones: the models' input schemas in Cloudflare's
documentation (developers.cloudflare.com/workers-ai/models), read in 2026-11.
"""

PROMPT_MAX_CHARS = 131_072
MAX_TOKENS_DEFAULT = 256
STOPS_MAX = 16  # ours
TEMPERATURE_DEFAULT = 0.6
TEMPERATURE_MAX = 5
TOP_P_MAX = 2
TOP_K_MAX = 50
SEED_MAX = 9_999_999_999
REPETITION_PENALTY_MAX = 2
PENALTY_MAX = 2  # frequency and presence: -2 to 2
EMBEDDING_TEXTS_MAX = 100

BATCH_MAX_BYTES = 10_000_000
BATCH_REQUESTS_MAX = 1000  # ours
BATCHES_KEPT = 1000  # ours
GATEWAY_LOGS_KEPT = 1000  # ours

REQUEST_MAX_BYTES = 100 * 1024 * 1024
"""Ours: what a Worker may send in one call; it can hold no more in memory."""

CLASSIFICATION_LABELS = 5
"""How many guesses an image classification answers with."""

DETECTION_THRESHOLD = 0.5
"""Ours: objects that the model is less sure of are left out."""

PICTURE_MAX_BYTES = 20 * 1024 * 1024
"""Ours."""

IMAGE_PROMPT_MAX_CHARS = 2048  # of flux; ours for the other models
IMAGE_SIDE_MIN = 256
IMAGE_SIDE_MAX = 2048
IMAGE_STEPS_MAX = 20
FLUX_STEPS_DEFAULT = 4
FLUX_STEPS_MAX = 8
GUIDANCE_DEFAULT = 7.5
GUIDANCE_MAX = 100  # ours: there is none documented

BEAM_SIZE_DEFAULT = 5
BEAM_SIZE_MAX = 10  # ours
SPEECH_HINT_MAX_CHARS = 2000
"""Ours: of `initial_prompt` and `prefix`; the model keeps the last 223 tokens."""

TEXT_MAX_CHARS = 131_072
"""Ours: of a text to classify, rerank, translate, shorten or read aloud."""

RERANK_CONTEXTS_MAX = 500
"""Ours."""

SPOKEN_MAX_CHARS = 10_000
"""Ours: of a text to read aloud, some ten minutes."""

SAMPLE_RATE_MIN = 8_000
SAMPLE_RATE_MAX = 48_000

REWRITE_TOKENS_MAX = 4096  # ours
SUMMARY_TOKENS_DEFAULT = 1024
TRANSLATION_TOKENS_MAX = 512  # ours
"""Of `max_length`, and of what a translation or a summary may be long."""

DOCUMENTS_MAX = 50
"""Ours: files in one call of toMarkdown."""

DOCUMENT_MAX_BYTES = 32 * 1024 * 1024
"""Ours."""
