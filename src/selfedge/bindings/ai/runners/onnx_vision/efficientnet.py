"""Writes EfficientNet-Lite0 as an ONNX folder, out of PyTorch's file and the labels.

Run as `python -m selfedge.bindings.ai.runners.onnx_vision.efficientnet FROM TO`, once,
at installation: what a pickle may do never happens where models are served.

The graph takes "pixel_values" [batch, 3, height, width] and gives "logits"
[batch, 1000]. Batch normalisation is folded into the convolutions.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from selfedge.bindings.ai.runners.onnx_vision.torch_file import read_tensors

WEIGHTS_FILE = "weights.pth"
LABELS_FILE = "imagenet.json"
OPSET = 17
IR_VERSION = 9
EPSILON = 1e-3
SIDE = 224
PREPROCESSING: Mapping[str, object] = {
    "do_resize": True,
    "size": {"shortest_edge": SIDE + 32},
    "resample": 3,
    "do_center_crop": True,
    "crop_size": {"height": SIDE, "width": SIDE},
    "do_rescale": False,
    "do_normalize": True,
    "image_mean": [127.0] * 3,
    "image_std": [128.0] * 3,
}


@dataclass(frozen=True, slots=True)
class Stage:
    """Some blocks of one shape; only the first has the stride."""

    blocks: int
    stride: int
    expansion: int
    channels: int


STAGES: Sequence[Stage] = (
    Stage(1, 1, 1, 16),
    Stage(2, 2, 6, 24),
    Stage(2, 2, 6, 40),
    Stage(3, 2, 6, 80),
    Stage(3, 1, 6, 112),
    Stage(4, 2, 6, 192),
    Stage(1, 1, 6, 320),
)


class Graph:
    """Nodes and weights, as they are added."""

    def __init__(self, tensors: Mapping[str, Any]) -> None:
        self.tensors = tensors
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        bounds = (np.float32(0), np.float32(6))
        self._bounds = [self.constant(np.asarray(value)) for value in bounds]

    def op(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        output = name or f"{kind}_{len(self.nodes)}"
        node = helper.make_node(kind, list(inputs), [output], **attributes)
        self.nodes.append(node)
        return output

    def constant(self, value: Any) -> str:
        """Add a constant; return its name."""
        name = f"constant_{len(self.constants)}"
        array = np.asarray(value, np.float32, order="C")
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def convolved(
        self, x: str, weight: str, norm: str, *, stride: int = 1, groups: int = 1
    ) -> str:
        """Add a convolution with its batch normalisation folded in."""
        read = self.tensors
        deviation = np.sqrt(read[f"{norm}.running_var"] + EPSILON)
        scale = read[f"{norm}.weight"] / deviation
        bias = read[f"{norm}.bias"] - read[f"{norm}.running_mean"] * scale
        return self.op(
            "Conv",
            x,
            self.constant(read[weight] * scale[:, None, None, None]),
            self.constant(bias),
            group=groups,
            strides=[stride, stride],
            auto_pad="SAME_UPPER",
        )

    def relu6(self, x: str) -> str:
        """Add the activation."""
        return self.op("Clip", x, *self._bounds)


def convert(source: Path, target: Path) -> None:
    """Write `target`, and beside it what runs it needs to know."""
    graph = Graph(read_tensors(source / WEIGHTS_FILE))
    _network(graph)
    onnx.save(_model(graph), str(target))
    labels = json.loads((source / LABELS_FILE).read_text(encoding="utf-8"))
    config = {"id2label": {key: _first_name(name) for key, name in labels.items()}}
    _write_json(target.parent / "config.json", config)
    _write_json(target.parent / "preprocessor_config.json", PREPROCESSING)


def _network(graph: Graph) -> None:
    stem = graph.convolved("pixel_values", "_conv_stem.weight", "_bn0", stride=2)
    x = graph.relu6(stem)
    number, width = 0, 32
    for stage in STAGES:
        for place in range(stage.blocks):
            stride = stage.stride if place == 0 else 1
            x = _block(graph, x, f"_blocks.{number}", stage, stride, width)
            number, width = number + 1, stage.channels
    x = graph.relu6(graph.convolved(x, "_conv_head.weight", "_bn1"))
    x = graph.op("Flatten", graph.op("GlobalAveragePool", x))
    weight = graph.constant(graph.tensors["_fc.weight"])
    bias = graph.constant(graph.tensors["_fc.bias"])
    graph.op("Gemm", x, weight, bias, transB=1, name="logits")


def _block(
    graph: Graph, x: str, name: str, stage: Stage, stride: int, width: int
) -> str:
    y = x
    if stage.expansion != 1:
        y = graph.convolved(y, f"{name}._expand_conv.weight", f"{name}._bn0")
        y = graph.relu6(y)
    y = graph.convolved(
        y,
        f"{name}._depthwise_conv.weight",
        f"{name}._bn1",
        stride=stride,
        groups=width * stage.expansion,
    )
    y = graph.relu6(y)
    y = graph.convolved(y, f"{name}._project_conv.weight", f"{name}._bn2")
    same_shape = stride == 1 and width == stage.channels
    return graph.op("Add", y, x) if same_shape else y


def _model(graph: Graph) -> Any:
    def value(name: str, *shape: str | int) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))

    body = helper.make_graph(
        graph.nodes,
        "efficientnet-lite0",
        [value("pixel_values", "batch", 3, "height", "width")],
        [value("logits", "batch", 1000)],
        graph.constants,
    )
    return helper.make_model(
        body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )


def _first_name(names: str) -> str:
    """Return "tench" of "tench, Tinca tinca", in capitals as ResNet-50's labels are."""
    return names.partition(",")[0].strip().upper()


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
