"""Which runner reads the weights that a user gives: (key of their entry, task)."""

from collections.abc import Mapping

FORMATS: Mapping[tuple[str, str], str] = {
    ("gguf", "text-generation"): "llama",
    ("onnx", "text-embeddings"): "text-embeddings",
}
"""Keys are `gguf` (a file), `onnx`, `ct2`, `diffusers` (folders), `openai` (a URL)."""
