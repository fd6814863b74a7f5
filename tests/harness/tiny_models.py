"""Networks with random weights, as small as they can be, in the users' formats."""

import json
from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save
from tokenizers import Tokenizer, models, pre_tokenizers, processors

WORDS = ["[PAD]", "[UNK]", "[EOS]", "__en__", "__fr__", "hello", "world", "good", "bad"]
EOS, EN, FR = 2, 3, 4
LONG, FLOAT = TensorProto.INT64, TensorProto.FLOAT


def tokenizer(folder: Path) -> None:
    """Words are tokens; pairs are joined; a text ends with [EOS]."""
    table = {word: number for number, word in enumerate(WORDS)}
    made = Tokenizer(models.WordLevel(table, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.add_special_tokens(WORDS[:5])
    made.post_processor = processors.TemplateProcessing(
        single="$A [EOS]", pair="$A [EOS] $B:1 [EOS]:1", special_tokens=[("[EOS]", EOS)]
    )
    made.save(str(folder / "tokenizer.json"))


def network(
    path: Path,
    nodes: list[tuple[str, list[str], list[str], dict]],
    inputs: dict[str, tuple[int, list]],
    outputs: dict[str, list],
    weights: dict[str, np.ndarray],
) -> None:
    """Write a network of (operator, inputs, outputs, attributes)."""
    graph = helper.make_graph(
        [helper.make_node(op, i, o, **attributes) for op, i, o, attributes in nodes],
        "tiny",
        [helper.make_tensor_value_info(n, t, s) for n, (t, s) in inputs.items()],
        [helper.make_tensor_value_info(n, FLOAT, s) for n, s in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=9)
    checker.check_model(model)
    save(model, str(path))


def random(*shape: int, seed: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def classifier(folder: Path, labels: list[str], *, width: int | None = None) -> Path:
    """Write a classifier: the masked sum of the words' rows."""
    folder.mkdir()
    tokenizer(folder)
    named = {str(number): label for number, label in enumerate(labels)}
    (folder / "config.json").write_text(json.dumps({"id2label": named}))
    network(
        folder / "model.onnx",
        [
            ("Gather", ["table", "input_ids"], ["rows"], {}),
            ("Cast", ["attention_mask"], ["mask"], {"to": FLOAT}),
            ("Unsqueeze", ["mask", "two"], ["column"], {}),
            ("Mul", ["rows", "column"], ["kept"], {}),
            ("ReduceSum", ["kept", "one"], ["logits"], {"keepdims": 0}),
        ],
        {name: (LONG, ["b", "n"]) for name in ("input_ids", "attention_mask")},
        {"logits": ["b", width or len(labels)]},
        {
            "table": random(len(WORDS), width or len(labels)),
            "two": np.array([2]),
            "one": np.array([1]),
        },
    )
    return folder


def _encoder(folder: Path) -> None:
    network(
        folder / "encoder_model.onnx",
        [
            ("Gather", ["table", "input_ids"], ["rows"], {}),
            ("Cast", ["attention_mask"], ["mask"], {"to": FLOAT}),
            ("Unsqueeze", ["mask", "two"], ["column"], {}),
            ("Mul", ["rows", "column"], ["last_hidden_state"], {}),
        ],
        {name: (LONG, ["b", "n"]) for name in ("input_ids", "attention_mask")},
        {"last_hidden_state": ["b", "n", 4]},
        {"table": random(len(WORDS), 4), "two": np.array([2])},
    )


_BODY = [
    ("Gather", ["words", "input_ids"], ["new"], {}),
    ("ReduceMean", ["encoder_hidden_states"], ["read"], {"axes": [1], "keepdims": 1}),
]
_HEAD = [
    ("CumSum", ["all", "one"], ["sums"], {}),
    ("Add", ["sums", "read"], ["state"], {}),
    ("MatMul", ["state", "head"], ["logits"], {}),
    ("Identity", ["all"], ["present.0.decoder.key"], {}),
]


def _decoder(folder: Path, *, remembers: bool) -> None:
    """What is written next depends on all words so far, so a lost memory shows."""
    past = {"past_key_values.0.decoder.key": (FLOAT, ["b", "p", 4])}
    joined = (
        ("Concat", ["past_key_values.0.decoder.key", "new"], ["all"], {"axis": 1})
        if remembers
        else ("Identity", ["new"], ["all"], {})
    )
    name = "decoder_with_past_model.onnx" if remembers else "decoder_model.onnx"
    network(
        folder / name,
        [*_BODY, joined, *_HEAD],
        {
            "input_ids": (LONG, ["b", "n"]),
            "encoder_hidden_states": (FLOAT, ["b", "m", 4]),
            **(past if remembers else {}),
        },
        {
            "logits": ["b", "k", len(WORDS)],
            "present.0.decoder.key": ["b", "k", 4],
        },
        {
            "words": random(len(WORDS), 4, seed=1),
            "head": random(4, len(WORDS), seed=2),
            "one": np.array(1),
        },
    )


def seq2seq(folder: Path, *, remembers: bool, **generation: object) -> Path:
    """Write an encoder and a decoder, as optimum exports them."""
    folder.mkdir()
    tokenizer(folder)
    _encoder(folder)
    _decoder(folder, remembers=False)
    if remembers:
        _decoder(folder, remembers=True)
    config = {
        "eos_token_id": EOS,
        "decoder_start_token_id": EOS,
        "max_position_embeddings": 64,
        **generation,
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def voice(folder: Path, **description: object) -> Path:
    """Write a voice whose letters are 256 samples each."""
    folder.mkdir()
    letters = "^_$ abcdefghijklmnopqrstuvwxyz."
    made = {
        "audio": {"sample_rate": 16_000},
        "phoneme_type": "text",
        "phoneme_id_map": {letter: [at] for at, letter in enumerate(letters)},
        "espeak": {"voice": "en-us"},
        **description,
    }
    (folder / "voice.onnx.json").write_text(json.dumps(made))
    table = np.sin(np.arange(256)[None] * (np.arange(1, 65)[:, None] / 60)) * 0.5
    network(
        folder / "voice.onnx",
        [
            ("Gather", ["table", "input"], ["waves"], {}),
            ("Reshape", ["waves", "flat"], ["output"], {}),
        ],
        {
            "input": (LONG, [1, "n"]),
            "input_lengths": (LONG, [1]),
            "scales": (FLOAT, [3]),
        },
        {"output": [1, 1, "t"]},
        {"table": table.astype(np.float32), "flat": np.array([1, 1, -1])},
    )
    return folder
