"""Builds Stable Diffusion pipelines of random weights: the true layout, tiny networks.

What they draw means nothing; that it depends on the prompt, the seed and the guidance
is what tests look at.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WIDTH = 32  # of a text encoder's output
CHANNELS = 16
EULER: Mapping[str, object] = {
    "_class_name": "EulerDiscreteScheduler",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "prediction_type": "epsilon",
}
F32, I64 = TensorProto.FLOAT, TensorProto.INT64


def build(
    root: Path,
    *,
    extra_large: bool = False,
    scheduler: Mapping[str, object] = EULER,
    sample_size: int = 32,
    guidance_width: int | None = None,
    broken_vae: bool = False,
    starts_from_pictures: bool = False,
) -> Path:
    """Write a pipeline into the folder `root`."""
    tables = Tables(np.random.default_rng(1))
    numbers = ("", "_2") if extra_large else ("",)
    for number in numbers:
        _tokenizer(root / f"tokenizer{number}", pad="!" if number else "<|endoftext|>")
        _text_encoder(root / f"text_encoder{number}", tables, extra_large=extra_large)
    _unet(root / "unet", tables, len(numbers), guidance_width)
    _vae(root / "vae_decoder", tables, broken=broken_vae)
    if starts_from_pictures:
        _vae_encoder(root / "vae_encoder", tables)
    write(
        root / "unet/config.json",
        {"sample_size": sample_size, "time_cond_proj_dim": guidance_width},
    )
    write(root / "vae_decoder/config.json", {"scaling_factor": 0.2})
    write(root / "scheduler/scheduler_config.json", scheduler)
    write(root / "model_index.json", {"force_zeros_for_empty_prompt": extra_large})
    return root


def write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


class Tables:
    """Random weights of a sensible size."""

    def __init__(self, chance: np.random.Generator) -> None:
        self._chance = chance

    def __call__(self, *shape: int) -> Any:
        fan = max(1, int(np.prod(shape[1:])))
        return (self._chance.standard_normal(shape) / fan**0.5).astype(np.float32)


def save(
    folder: Path,
    nodes: Sequence[Any],
    inputs: Sequence[tuple[str, int, Sequence[Any]]],
    outputs: Sequence[tuple[str, Sequence[Any]]],
    weights: Mapping[str, Any],
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    graph = helper.make_graph(
        list(nodes),
        folder.name,
        [helper.make_tensor_value_info(*one) for one in inputs],
        [helper.make_tensor_value_info(name, F32, shape) for name, shape in outputs],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9
    )
    onnx.save(model, str(folder / "model.onnx"))


def _tokenizer(folder: Path, pad: str) -> None:
    letters = [chr(code) for code in range(33, 127)]
    tokens = [*letters, *(letter + "</w>" for letter in letters), "ca", "cat</w>"]
    vocabulary = {token: n for n, token in enumerate(tokens)}
    for special in ("<|startoftext|>", "<|endoftext|>"):
        vocabulary[special] = len(vocabulary)
    write(folder / "vocab.json", vocabulary)
    (folder / "merges.txt").write_text("#version: 0.2\nc a\nca t</w>\n")
    write(folder / "special_tokens_map.json", {"pad_token": {"content": pad}})
    write(folder / "tokenizer_config.json", {"model_max_length": 77})


def _text_encoder(folder: Path, table: Tables, *, extra_large: bool) -> None:
    node = helper.make_node
    nodes = [node("Gather", ["words", "input_ids"], ["embedded"])]
    hidden = ["batch", 77, WIDTH]
    outputs: list[tuple[str, Sequence[Any]]]
    if extra_large:
        nodes += [
            node("MatMul", ["embedded", "layer"], ["hidden_states.1"]),
            node("MatMul", ["hidden_states.1", "layer"], ["hidden_states.2"]),
            node(
                "ReduceMean", ["hidden_states.2", "axis"], ["text_embeds"], keepdims=0
            ),
        ]
        outputs = [("text_embeds", ["batch", WIDTH])]
        outputs += [(f"hidden_states.{n}", hidden) for n in (1, 2)]
    else:
        nodes.append(node("MatMul", ["embedded", "layer"], ["last_hidden_state"]))
        outputs = [("last_hidden_state", hidden)]
    weights = {
        "words": table(256, WIDTH) * 6,
        "layer": table(WIDTH, WIDTH),
        "axis": np.array([1], np.int64),
    }
    save(folder, nodes, [("input_ids", I64, ["batch", 77])], outputs, weights)


def _unet(folder: Path, table: Tables, encoders: int, guidance: int | None) -> None:
    """A convolution, the time and the text added to it, and a convolution back."""
    node = helper.make_node
    latents = ["batch", 4, "height", "width"]
    wide = WIDTH * encoders
    inputs = [
        ("sample", F32, latents),
        ("timestep", I64, [1]),
        ("encoder_hidden_states", F32, ["batch", 77, wide]),
    ]
    weights = {
        "in": table(CHANNELS, 4, 3, 3),
        "out": table(4, CHANNELS, 3, 3),
        "clock": np.linspace(0.001, 0.01, CHANNELS, dtype=np.float32)[None],
        "axis": np.array([1], np.int64),
        "reads": table(wide, CHANNELS) * 3,
        "ends": np.array([2, 3], np.int64),
    }
    nodes = [
        node("Conv", ["sample", "in"], ["x"], pads=[1] * 4),
        node("Cast", ["timestep"], ["time"], to=F32),
        node("Mul", ["time", "clock"], ["angle"]),
        node("Sin", ["angle"], ["wave"]),
        node("ReduceMean", ["encoder_hidden_states", "axis"], ["text"], keepdims=0),
        node("MatMul", ["text", "reads"], ["read"]),
        node("Add", ["read", "wave"], ["told_0"]),
    ]
    told = 0
    extra: list[tuple[str, int]] = []
    if encoders > 1:
        extra = [("text_embeds", WIDTH), ("time_ids", 6)]
    if guidance:
        extra.append(("timestep_cond", guidance))
    for name, width in extra:
        inputs.append((name, F32, ["batch", width]))
        weights[f"reads_{name}"] = table(width, CHANNELS) * 0.01
        nodes.append(node("MatMul", [name, f"reads_{name}"], [f"read_{name}"]))
        nodes.append(
            node("Add", [f"told_{told}", f"read_{name}"], [f"told_{told + 1}"])
        )
        told += 1
    nodes += [
        node("Unsqueeze", [f"told_{told}", "ends"], ["told"]),
        node("Add", ["x", "told"], ["y"]),
        node("Tanh", ["y"], ["z"]),
        node("Conv", ["z", "out"], ["out_sample"], pads=[1] * 4),
    ]
    save(folder, nodes, inputs, [("out_sample", latents)], weights)


def _vae(folder: Path, table: Tables, *, broken: bool) -> None:
    node = helper.make_node
    nodes = [
        node("Conv", ["latent_sample", "in"], ["x"], pads=[1] * 4),
        node("Resize", ["x", "", "scales"], ["y"], mode="nearest"),
        node("Log" if broken else "Tanh", ["y"], ["sample"]),
    ]
    weights = {
        "in": table(3, 4, 3, 3),
        "scales": np.array([1, 1, 8, 8], np.float32),
    }
    save(
        folder,
        nodes,
        [("latent_sample", F32, ["batch", 4, "height", "width"])],
        [("sample", ["batch", 3, "tall", "wide"])],
        weights,
    )


def _vae_encoder(folder: Path, table: Tables) -> None:
    """Means, then deviations, as exporters give them."""
    nodes = [
        helper.make_node(
            "AveragePool", ["sample"], ["x"], kernel_shape=[8, 8], strides=[8, 8]
        ),
        helper.make_node("Conv", ["x", "in"], ["latent_parameters"]),
    ]
    save(
        folder,
        nodes,
        [("sample", F32, ["batch", 3, "tall", "wide"])],
        [("latent_parameters", ["batch", 8, "height", "width"])],
        {"in": table(8, 3, 1, 1) * 20},
    )
