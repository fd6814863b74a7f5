"""Which runner reads the weights that a user gives: (key of their entry, task)."""

from collections.abc import Mapping

FORMATS: Mapping[tuple[str, str], str] = {
    ("ct2", "automatic-speech-recognition"): "whisper",
    ("diffusers", "text-to-image"): "diffusers",
    ("gguf", "text-generation"): "llama",
    ("openai", "text-embeddings"): "upstream",
    ("openai", "text-generation"): "upstream",
    ("onnx", "image-classification"): "onnx-vision",
    ("onnx", "object-detection"): "onnx-vision",
    ("onnx", "rerank"): "onnx-classifier",
    ("onnx", "summarization"): "onnx-seq2seq",
    ("onnx", "text-classification"): "onnx-classifier",
    ("onnx", "text-embeddings"): "text-embeddings",
    ("onnx", "text-to-speech"): "onnx-voice",
    ("onnx", "translation"): "onnx-seq2seq",
}
"""Keys are `gguf` (a file), `onnx`, `ct2`, `diffusers` (folders), `openai` (a URL)."""

_PLACES: Mapping[str, str] = {"gguf": "FILE", "openai": "URL"}


def formats_of(task: str) -> Mapping[str, str]:
    """Return the keys that can give a model of `task` weights, and what each takes."""
    return {key: _PLACES.get(key, "DIR") for key, of in FORMATS if of == task}
