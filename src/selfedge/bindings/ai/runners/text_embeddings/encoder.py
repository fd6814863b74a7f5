"""An ONNX encoder: rows of token ids → unit vectors, one for each row and pooling.

Two kinds of graphs are read: ours (`bert.py`), with an output for each pooling, and
those that exporters write, whose first output is the last hidden state (pooled here)
or is pooled already.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from selfedge.bindings.ai.jobs.text_embeddings import Pooling

DECIMALS = 8
"""Of a component: finer than the encoder's own precision, and short as JSON."""

Vector: TypeAlias = Sequence[float]

_POOLED = {"mean", "cls"}
_MATRIX = 2


class Encoder:
    """One session of onnxruntime."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._inputs = {found.name for found in session.get_inputs()}
        outputs = [found.name for found in session.get_outputs()]
        self._pools = set(outputs) >= _POOLED
        pooled = "sentence_embedding"
        self._output = pooled if pooled in outputs else outputs[0]

    def encode(
        self, rows: Sequence[Sequence[int]], poolings: Sequence[Pooling]
    ) -> dict[Pooling, Sequence[Vector]]:
        """Return the vectors of all rows, for each of `poolings`."""
        feeds = self._feeds(rows)
        if self._pools:
            vectors = self._session.run(poolings, feeds)
            return dict(zip(poolings, map(_plain, vectors), strict=True))
        (hidden,) = self._session.run([self._output], feeds)
        mask = feeds["attention_mask"]
        return {
            pooling: _plain(_unit(_pooled(hidden, mask, pooling)))
            for pooling in poolings
        }

    def _feeds(self, rows: Sequence[Sequence[int]]) -> dict[str, Any]:
        shape = (len(rows), max(len(row) for row in rows))
        ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = row
            mask[number, : len(row)] = 1
        feeds = {"input_ids": ids, "attention_mask": mask}
        if "token_type_ids" in self._inputs:
            feeds["token_type_ids"] = np.zeros(shape, np.int64)
        return feeds


def _pooled(hidden: Any, mask: Any, pooling: Pooling) -> Any:
    if hidden.ndim == _MATRIX:
        return hidden
    if pooling == "cls":
        return hidden[:, 0]
    weights = mask[..., None]
    return (hidden * weights).sum(1) / weights.sum(1)


def _unit(vectors: Any) -> Any:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-12)


def _plain(vectors: Any) -> Sequence[Vector]:
    rounded: list[Vector] = np.round(vectors.astype(np.float64), DECIMALS).tolist()
    return rounded
