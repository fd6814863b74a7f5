"""The numbers that Vectorize documents (developers.cloudflare.com/vectorize)."""

DIMENSIONS_MAX = 1536
ID_MAX_BYTES = 64
NAMESPACE_MAX_BYTES = 64
INDEX_NAME_MAX_BYTES = 64
METADATA_MAX_BYTES = 10_240  # as compact JSON, for each vector
UPLOAD_MAX_BYTES = 100 * 1000 * 1000
BATCH_MAX = 1000  # vectors or ids in one call of a Worker
HTTP_BATCH_MAX = 5000  # over the control API
INDEXES_MAX = 50_000
LIST_MAX = 1000  # ids in a page of list-vectors
METADATA_INDEXES_MAX = 10

TOP_K_DEFAULT = 5
TOP_K_MAX = 100
TOP_K_MAX_WITH_PAYLOAD = 20  # with values, or with all metadata

INDEXED_STRING_MAX_BYTES = 64
FILTER_MAX_BYTES = 2048  # its compact JSON is shorter than this
FILTER_KEY_MAX_CHARS = 512

FLOAT32_MAX = 3.4028234663852886e38  # values are stored as 32-bit floats

PRESETS = {  # of wrangler's `--preset`: dimensions, metric
    "@cf/baai/bge-small-en-v1.5": (384, "cosine"),
    "@cf/baai/bge-base-en-v1.5": (768, "cosine"),
    "@cf/baai/bge-large-en-v1.5": (1024, "cosine"),
    "openai/text-embedding-ada-002": (1536, "cosine"),
    "cohere/embed-multilingual-v2.0": (768, "cosine"),
}
CURSOR_TTL_S = 2 * 24 * 3600  # what we say; a cursor of ours does not expire
