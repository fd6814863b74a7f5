"""How much a Worker may be, and have; Cloudflare's figures where it tells them."""

CODE_MAX_BYTES = 64 * 1024 * 1024  # all modules together, not compressed
UPLOAD_MAX_BYTES = 100 * 1024 * 1024  # the body of an upload
STARTUP_MAX_S = 10  # until a version that is tried listens; Cloudflare's is 1 s of CPU
MODULES_MAX = 1000
MODULE_NAME_MAX_CHARS = 512
BINDINGS_MAX = 1000
VARIABLES_MAX = 128  # text, JSON and secrets of a Worker
VARIABLE_MAX_BYTES = 5 * 1024
SCRIPT_NAME_MAX_CHARS = 63  # it becomes a label of a hostname
CLASS_NAME_MAX_CHARS = 100  # of a Durable Object; it becomes a part of a file's name
FLAGS_MAX = 64
METADATA_MAX_BYTES = 2 * 1024 * 1024  # what an upload or a change says of itself
SETTINGS_MAX_BYTES = 16 * 1024  # of a Worker, those that no version has
MIGRATIONS_MAX_BYTES = 64 * 1024  # of a Worker, all that were ever applied
ANNOTATIONS_MAX = 16
MESSAGE_MAX_CHARS = 1000  # of an annotation; longer ones are cut
CPU_MAX_MS = 300_000
SECRETS_AT_ONCE_MAX = 100
CRONS_MAX = 250  # of an account
ROUTES_MAX = 1000  # of a Worker
DOMAINS_MAX = 100  # of a Worker
SCRIPTS_MAX = 500  # of an account
ASSETS_MAX = 100_000  # of a version
ASSET_MAX_BYTES = 25 * 1024 * 1024
