"""Libraries that compute, one module each; all of them live in the model host."""

from collections.abc import Mapping

LOADERS: Mapping[str, str] = {
    "llama": "selfedge.bindings.ai.runners.llama:load",
    "text-embeddings": "selfedge.bindings.ai.runners.text_embeddings.runner:load",
}
"""Runner name → its `contract.Load`; imported by the model host only."""

LIBRARIES: Mapping[str, tuple[str, ...]] = {
    "llama": ("xllamacpp",),
    "text-embeddings": ("numpy", "onnx", "onnxruntime", "safetensors", "tokenizers"),
}
"""Runner name → what it imports, so that a missing extra is named beforehand."""
