"""Builds vision models in the folders of exporters: tiny, with known answers."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def _save(
    folder: Path,
    nodes: Sequence[Any],
    shape: Sequence[Any],
    outputs: Mapping[str, Sequence[Any]],
    weights: Mapping[str, Any],
    *others: Any,
) -> None:
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        list(nodes),
        "tiny",
        [value("pixel_values", TensorProto.FLOAT, shape), *others],
        [value(name, TensorProto.FLOAT, size) for name, size in outputs.items()],
        [numpy_helper.from_array(one, name) for name, one in weights.items()],
    )
    opset = [helper.make_opsetid("", 18)]
    onnx.save(
        helper.make_model(graph, opset_imports=opset, ir_version=9),
        str(folder / "model.onnx"),
    )


def classifier(folder: Path, *, last: bool = False, softmax: bool = False) -> Path:
    """Write a model whose logits are the means of red, green and blue."""
    axes = np.array([1, 2] if last else [2, 3], np.int64)
    shape = ["batch", 16, 16, 3] if last else ["batch", 3, 16, 16]
    mean = "means" if softmax else "logits"
    nodes = [
        helper.make_node("ReduceMean", ["pixel_values", "axes"], [mean], keepdims=0)
    ]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["means"], ["logits"], axis=1))
    _save(folder, nodes, shape, {"logits": ["batch", 3]}, {"axes": axes})
    how = {
        "size": {"height": 16, "width": 16},
        "rescale_factor": 2 / 255,
        "do_normalize": False,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(how))
    (folder / "labels.json").write_text(json.dumps(["red", "green", "blue"]))
    return folder


def detector(folder: Path) -> Path:
    """Write a model as DETR is: three queries with fixed answers, of two classes."""
    logits = np.array([[[9, 0, 0], [0, 0, 9], [0, 8, 0]]], np.float32)
    boxes = np.array([[[0.5, 0.5, 0.5, 1], [0, 0, 1, 1], [1, 0.25, 0.5, 0.25]]])
    weights = {
        "l": logits,
        "b": boxes.astype(np.float32),
        "zero": np.array(0, np.float32),
    }
    node = helper.make_node
    nodes = [
        node("ReduceMean", ["pixel_values"], ["mean"], keepdims=0),
        node("Cast", ["pixel_mask"], ["mask"], to=TensorProto.FLOAT),
        node("ReduceMean", ["mask"], ["seen"], keepdims=0),
        node("Mul", ["mean", "zero"], ["nothing"]),
        node("Mul", ["nothing", "seen"], ["none"]),
        node("Add", ["l", "none"], ["logits"]),
        node("Add", ["b", "none"], ["pred_boxes"]),
    ]
    mask = helper.make_tensor_value_info(
        "pixel_mask", TensorProto.INT64, ["batch", "height", "width"]
    )
    outputs = {"logits": [1, 3, 3], "pred_boxes": [1, 3, 4]}
    _save(folder, nodes, ["batch", 3, "height", "width"], outputs, weights, mask)
    how = {"size": {"shortest_edge": 64, "longest_edge": 96}}
    (folder / "preprocessor_config.json").write_text(json.dumps(how))
    (folder / "config.json").write_text(
        json.dumps({"id2label": {"0": "cat", "1": "dog"}})
    )
    return folder
