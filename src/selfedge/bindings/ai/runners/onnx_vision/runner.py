"""The runner: a folder with model.onnx → labels, or objects with their boxes.

The folder is as exporters write it: `model.onnx` (or `onnx/model.onnx`), the labels
in `config.json` (`id2label`) or `labels.json` (a list), `preprocessor_config.json`.
"""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from selfedge.bindings.ai.errors import AiError, InferenceFailed
from selfedge.bindings.ai.jobs import Job, Part
from selfedge.bindings.ai.jobs.pictures import (
    Box,
    ClassifyPicture,
    DetectObjects,
    Found,
    Label,
    Labels,
    Objects,
)
from selfedge.bindings.ai.runners.contract import Runner, Source
from selfedge.bindings.ai.runners.onnx_session import open_session
from selfedge.bindings.ai.runners.onnx_vision.folder import Folder, read_folder
from selfedge.bindings.ai.runners.onnx_vision.preprocessing import pixels
from selfedge.bindings.ai.runners.picture import decode

DECIMALS = 6
"""Of a score: finer than any model is."""


def load(source: Source, threads: int) -> Runner:
    """Read the model in a folder.

    Raises:
        ValueError: something in the folder is missing or does not fit.
    """
    folder = read_folder(source.path)
    session = open_session(folder.model, threads)
    return VisionRunner(Network(session), folder)


@dataclass(frozen=True, slots=True)
class Network:
    """A session, and what its inputs and outputs are called."""

    session: Any

    def run(self, values: Any) -> dict[str, Any]:
        """Return all outputs by name, for one picture [3, height, width]."""
        named = {one.name: one for one in self.session.get_inputs()}
        pictures = next(one for one in named.values() if one.name != "pixel_mask")
        batch = values[None]
        if "pixel_mask" in named:
            mask = np.ones((1, *values.shape[1:]), np.int64)
            feeds = {"pixel_mask": mask}
        else:
            feeds = {}
        if len(pictures.shape) == 4 and pictures.shape[3] == 3:
            batch = batch.transpose(0, 2, 3, 1)
        kind = np.float16 if pictures.type == "tensor(float16)" else np.float32
        feeds[pictures.name] = np.ascontiguousarray(batch, kind)
        outputs = [one.name for one in self.session.get_outputs()]
        return dict(zip(outputs, self.session.run(outputs, feeds), strict=True))


class VisionRunner:
    """One model; pictures wait for one another."""

    def __init__(self, network: Network, folder: Folder) -> None:
        self._network: Network | None = network
        self._folder = folder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="vision")

    async def run(self, job: Job) -> AsyncGenerator[Part, None]:
        """Yield the labels or the objects."""
        loop = asyncio.get_running_loop()
        yield await loop.run_in_executor(self._thread, self._answer, job)

    async def close(self) -> None:
        """Free the model."""
        self._thread.shutdown(wait=False)
        self._network = None

    def _answer(self, job: Job) -> Part:
        if not isinstance(job, ClassifyPicture | DetectObjects) or not self._network:
            raise InferenceFailed(f"a vision model does not run {type(job).__name__}")
        picture = decode(job.picture)
        try:
            outputs = self._network.run(pixels(picture, self._folder.preprocessing))
            if isinstance(job, ClassifyPicture):
                return self._labels(outputs, job.top)
            return self._objects(outputs, job.threshold, picture.size)
        except AiError:
            raise
        except Exception as error:
            raise InferenceFailed(f"onnxruntime: {error}") from error

    def _labels(self, outputs: dict[str, Any], top: int) -> Labels:
        first = next(iter(outputs.values()))
        logits = outputs.get("logits", first)
        scores = probabilities(np.asarray(logits, np.float64).reshape(-1))
        best = scores.argsort()[::-1][:top]
        return Labels([Label(self._name(n), _score(scores[n])) for n in best])

    def _objects(
        self, outputs: dict[str, Any], threshold: float, size: tuple[int, int]
    ) -> Objects:
        """Read DETR's answer: for each query a class (the last is none) and a box."""
        if not {"logits", "pred_boxes"} <= outputs.keys():
            raise InferenceFailed(
                "a detector must give logits and pred_boxes (as DETR does), not "
                f"{', '.join(outputs)}"
            )
        scores = probabilities(np.asarray(outputs["logits"][0], np.float64))[:, :-1]
        found = [
            Found(self._name(int(row.argmax())), _score(row.max()), _box(box, size))
            for row, box in zip(scores, outputs["pred_boxes"][0], strict=True)
            if row.max() >= threshold
        ]
        return Objects(sorted(found, key=lambda one: -one.score))

    def _name(self, number: int) -> str:
        return self._folder.labels.get(int(number), f"LABEL_{number}")


def probabilities(values: Any) -> Any:
    """Return the softmax, unless the model has made probabilities itself."""
    if values.min() >= 0 and np.allclose(values.sum(-1), 1, atol=1e-3):
        return values
    powers = np.exp(values - values.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def _score(value: Any) -> float:
    return round(float(value), DECIMALS)


def _box(box: Any, size: tuple[int, int]) -> Box:
    """Turn centre and extent, from 0 to 1, into corners within the picture."""
    x, y, width, height = (float(value) for value in box)

    def place(value: float, limit: int) -> int:
        return round(min(max(value, 0), 1) * limit)

    return Box(
        xmin=place(x - width / 2, size[0]),
        ymin=place(y - height / 2, size[1]),
        xmax=place(x + width / 2, size[0]),
        ymax=place(y + height / 2, size[1]),
    )
