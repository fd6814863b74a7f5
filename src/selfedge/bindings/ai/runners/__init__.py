"""Libraries that compute, one module each; all of them live in the model host."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A runner's module, and what it imports: a missing extra is named beforehand."""

    load: str  # "module:function", a `contract.Load`; imported by the model host only
    libraries: tuple[str, ...] = ()


RUNNERS: Mapping[str, Kind] = {
    "onnx-classifier": Kind(
        "selfedge.bindings.ai.runners.onnx_classifier:load",
        ("numpy", "onnxruntime", "tokenizers"),
    ),
    "onnx-seq2seq": Kind(
        "selfedge.bindings.ai.runners.onnx_seq2seq.runner:load",
        ("numpy", "onnxruntime", "tokenizers"),
    ),
    "onnx-voice": Kind(
        "selfedge.bindings.ai.runners.onnx_voice.runner:load",
        ("numpy", "onnxruntime", "soundfile"),
    ),
    "diffusers": Kind(
        "selfedge.bindings.ai.runners.diffusers.runner:load",
        ("PIL", "numpy", "onnxruntime", "tokenizers"),
    ),
    "documents": Kind(
        "selfedge.bindings.ai.runners.documents.runner:load",
        ("PIL", "bs4", "lxml", "mammoth", "markdownify", "openpyxl", "pypdf"),
    ),
    "onnx-vision": Kind(
        "selfedge.bindings.ai.runners.onnx_vision.runner:load",
        ("PIL", "numpy", "onnx", "onnxruntime"),
    ),
    "llama": Kind("selfedge.bindings.ai.runners.llama.runner:load", ("xllamacpp",)),
    "text-embeddings": Kind(
        "selfedge.bindings.ai.runners.text_embeddings.runner:load",
        ("numpy", "onnx", "onnxruntime", "safetensors", "tokenizers"),
    ),
    "whisper": Kind(
        "selfedge.bindings.ai.runners.whisper.runner:load",
        ("ctranslate2", "numpy", "soundfile", "tokenizers"),
    ),
    "upstream": Kind("selfedge.bindings.ai.runners.upstream:load", ("aiohttp",)),
}
"""By the name that weights use."""
