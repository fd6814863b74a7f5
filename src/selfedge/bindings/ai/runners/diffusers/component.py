"""One network of a pipeline: feeds are cast to what it takes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from selfedge.bindings.ai.runners.onnx_session import open_session

_TYPES: Mapping[str, type[Any]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}


class Component:
    """A network in the folder `name`."""

    def __init__(self, root: Path, name: str, threads: int) -> None:
        """Read it.

        Raises:
            ValueError: its file is missing or damaged.
        """
        self._name = name
        self._session = open_session(root / name / "model.onnx", threads)
        self.inputs = {one.name: one for one in self._session.get_inputs()}

    def run(self, feeds: Mapping[str, Any], options: Any) -> Mapping[str, Any]:
        """Return all outputs, as 32-bit floats; feeds that it does not take are left.

        Raises:
            ValueError: it takes what nobody gives.
        """
        absent = self.inputs.keys() - feeds.keys()
        if absent:
            raise ValueError(f"{self._name} wants {', '.join(sorted(absent))}")
        cast = {
            name: np.asarray(feeds[name], _TYPES[one.type])
            for name, one in self.inputs.items()
        }
        names = [one.name for one in self._session.get_outputs()]
        values = self._session.run(names, cast, options)
        return {
            name: np.asarray(value, np.float32)
            for name, value in zip(names, values, strict=True)
        }

    def rank(self, name: str) -> int:
        """Return how many dimensions the input `name` has."""
        return len(self.inputs[name].shape)
