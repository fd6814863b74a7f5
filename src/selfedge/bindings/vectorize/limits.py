"""The numbers that Vectorize documents (developers.cloudflare.com/vectorize)."""

DIMENSIONS_MAX = 1536
ID_MAX_BYTES = 64
NAMESPACE_MAX_BYTES = 64
INDEX_NAME_MAX_BYTES = 64
METADATA_MAX_BYTES = 10_240  # as compact JSON, for each vector
UPLOAD_MAX_BYTES = 100 * 1000 * 1000
BATCH_MAX = 1000  # vectors or ids in one call of a Worker

TOP_K_DEFAULT = 5
TOP_K_MAX = 100
TOP_K_MAX_WITH_PAYLOAD = 20  # with values, or with all metadata

INDEXED_STRING_MAX_BYTES = 64
INDEXED_LEVELS_MAX = 32  # ours: the engine cannot read 128 levels of nesting again
FILTER_MAX_BYTES = 2048  # its compact JSON is shorter than this
FILTER_KEY_MAX_CHARS = 512

FLOAT32_MAX = 3.4028234663852886e38  # values are stored as 32-bit floats
