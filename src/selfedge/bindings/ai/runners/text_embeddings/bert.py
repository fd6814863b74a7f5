"""Writes a BERT encoder (config.json, model.safetensors) as ONNX, without torch.

Run as `python -m selfedge.bindings.ai.runners.text_embeddings.bert FROM TO`: the
libraries it needs are heavy, so they stay out of the process that installs.

The graph takes input_ids, attention_mask and token_type_ids, each [batch, tokens],
and gives the unit vectors "mean" and "cls", each [batch, width].
"""

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OUTPUTS = ("mean", "cls")
OPSET = 18
IR_VERSION = 9
MASKED = -1e9


class Graph:
    """Nodes and weights of an ONNX graph, as they are added."""

    def __init__(self, weights: dict[str, Any], epsilon: float) -> None:
        self._weights = weights
        self._prefix = "bert." if any(n.startswith("bert.") for n in weights) else ""
        self._epsilon = epsilon
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def op(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        output = name or f"{kind}_{len(self.nodes)}"
        node = helper.make_node(kind, list(inputs), [output], **attributes)
        self.nodes.append(node)
        return output

    def constant(self, value: object, kind: type[Any] = np.float32) -> str:
        """Add a small constant; return its name."""
        return self._store(f"const_{kind.__name__}_{value}", np.array(value, kind))

    def weight(self, name: str, *, transposed: bool = False) -> str:
        """Add the weight `name` of the model; return its name."""
        value = self._weights[self._prefix + name].astype(np.float32)
        return self._store(name, value.T if transposed else value)

    def linear(self, x: str, name: str) -> str:
        """Add `x` @ weight + bias."""
        product = self.op("MatMul", x, self.weight(f"{name}.weight", transposed=True))
        return self.op("Add", product, self.weight(f"{name}.bias"))

    def normalised(self, x: str, name: str) -> str:
        """Add a layer norm over the last axis."""
        scale, bias = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.op(
            "LayerNormalization", x, scale, bias, axis=-1, epsilon=self._epsilon
        )

    def gelu(self, x: str) -> str:
        """Add the exact GELU."""
        scaled = self.op("Mul", x, self.constant(math.sqrt(0.5)))
        one_more = self.op("Add", self.op("Erf", scaled), self.constant(1.0))
        return self.op("Mul", self.op("Mul", x, one_more), self.constant(0.5))

    def _store(self, name: str, value: Any) -> str:
        if name not in self.constants:
            contiguous = np.ascontiguousarray(value).reshape(value.shape)
            self.constants[name] = numpy_helper.from_array(contiguous, name)
        return name


def export(source: Path, target: Path) -> None:
    """Write the model in the folder `source` to the file `target`."""
    config = json.loads((source / "config.json").read_text())
    epsilon = config.get("layer_norm_eps", 1e-12)
    graph = Graph(load_file(source / "model.safetensors"), epsilon)
    mask = graph.op("Cast", "attention_mask", to=TensorProto.FLOAT)
    hidden = _embeddings(graph)
    blocked = _blocked(graph, mask)
    for number in range(config["num_hidden_layers"]):
        hidden = _layer(graph, hidden, blocked, number, config["num_attention_heads"])
    _pool(graph, hidden, mask)
    onnx.save(_model(graph, config["hidden_size"]), str(target))


def _embeddings(graph: Graph) -> str:
    first, second = graph.constant([0], np.int64), graph.constant([1], np.int64)
    length = graph.op("Gather", graph.op("Shape", "input_ids"), second)
    table = "embeddings.{}_embeddings.weight"
    words = graph.op("Gather", graph.weight(table.format("word")), "input_ids")
    types = graph.op("Gather", graph.weight(table.format("token_type")), INPUTS[2])
    # A Slice, not Range and Gather: onnxruntime 1.32 fuses those into a broken node.
    places = graph.weight(table.format("position"))
    positions = graph.op("Slice", places, first, length, first)
    total = graph.op("Add", graph.op("Add", words, types), positions)
    return graph.normalised(total, "embeddings.LayerNorm")


def _blocked(graph: Graph, mask: str) -> str:
    """Return what is added to attention scores: 0, or far below for padding."""
    absent = graph.op("Sub", graph.constant(1.0), mask)
    scaled = graph.op("Mul", absent, graph.constant(MASKED))
    return graph.op("Unsqueeze", scaled, graph.constant([1, 2], np.int64))


def _layer(graph: Graph, x: str, blocked: str, number: int, heads: int) -> str:
    name = f"encoder.layer.{number}"
    attended = graph.linear(
        _attention(graph, x, blocked, f"{name}.attention.self", heads),
        f"{name}.attention.output.dense",
    )
    x = graph.normalised(
        graph.op("Add", attended, x), f"{name}.attention.output.LayerNorm"
    )
    wide = graph.gelu(graph.linear(x, f"{name}.intermediate.dense"))
    narrow = graph.linear(wide, f"{name}.output.dense")
    return graph.normalised(graph.op("Add", narrow, x), f"{name}.output.LayerNorm")


def _attention(graph: Graph, x: str, blocked: str, name: str, heads: int) -> str:
    split = graph.constant([0, 0, heads, -1], np.int64)

    def projected(part: str, order: Sequence[int]) -> str:
        cut = graph.op("Reshape", graph.linear(x, f"{name}.{part}"), split)
        return graph.op("Transpose", cut, perm=list(order))

    query = projected("query", (0, 2, 1, 3))
    key = projected("key", (0, 2, 3, 1))
    value = projected("value", (0, 2, 1, 3))
    size = graph.constants[f"{name}.query.bias"].dims[0] // heads
    scores = graph.op("MatMul", query, key)
    scaled = graph.op("Mul", scores, graph.constant(1 / math.sqrt(size)))
    weights = graph.op("Softmax", graph.op("Add", scaled, blocked), axis=-1)
    mixed = graph.op("MatMul", weights, value)
    merged = graph.op("Transpose", mixed, perm=[0, 2, 1, 3])
    return graph.op("Reshape", merged, graph.constant([0, 0, -1], np.int64))


def _pool(graph: Graph, hidden: str, mask: str) -> None:
    last, tokens = graph.constant([-1], np.int64), graph.constant([1], np.int64)
    kept = graph.op("Mul", hidden, graph.op("Unsqueeze", mask, last))
    total = graph.op("ReduceSum", kept, tokens, keepdims=0)
    count = graph.op("ReduceSum", mask, tokens, keepdims=1)
    mean = graph.op("Div", total, count)
    cls = graph.op("Gather", hidden, graph.constant(0, np.int64), axis=1)
    for output, vector in zip(OUTPUTS, (mean, cls), strict=True):
        length = graph.op("ReduceL2", vector, last, keepdims=1)
        graph.op("Div", vector, length, name=output)


def _model(graph: Graph, width: int) -> Any:
    def value(name: str, kind: int, shape: Sequence[str | int]) -> Any:
        return helper.make_tensor_value_info(name, kind, list(shape))

    body = helper.make_graph(
        graph.nodes,
        "bert",
        [value(name, TensorProto.INT64, ("batch", "tokens")) for name in INPUTS],
        [value(name, TensorProto.FLOAT, ("batch", width)) for name in OUTPUTS],
        list(graph.constants.values()),
    )
    return helper.make_model(
        body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )


if __name__ == "__main__":
    export(Path(sys.argv[1]), Path(sys.argv[2]))
