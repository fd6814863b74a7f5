"""Vectors → points of a plane: their two principal components. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from selfedge.bindings.vectorize.engine.contract import Metric, Vector

SAMPLE_MAX = 500  # vectors
TEXT_MAX = 80  # characters of a text of the metadata
AXES = 2


def projected(vectors: Sequence[Vector], metric: Metric) -> Mapping[str, Any]:
    """Return a point for each vector, and how much of the variance each axis has."""
    values = np.array([vector.values for vector in vectors], np.float64)
    if not vectors:
        return {"points": [], "explained": [0.0] * AXES}
    if metric is Metric.COSINE:
        lengths = np.linalg.norm(values, axis=1, keepdims=True)
        values /= np.where(lengths == 0, 1, lengths)
    places, shares = _principal(values)
    points = [
        _point(vector, *place)
        for vector, place in zip(vectors, places.tolist(), strict=True)
    ]
    return {"points": points, "explained": shares.tolist()}


def _principal(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the first two components of each row, and their shares of the variance.

    By the products of the rows with each other, as there are few rows.
    """
    centred = values - values.mean(axis=0)
    sizes, axes = np.linalg.eigh(centred @ centred.T)
    largest = sizes[::-1][:AXES].clip(min=0)
    places = axes[:, ::-1][:, :AXES] * np.sqrt(largest)
    missing = AXES - places.shape[1]  # one vector has but one component
    places = np.pad(places, ((0, 0), (0, missing)))
    largest = np.pad(largest, (0, missing))
    ends = places[np.abs(places).argmax(axis=0), range(AXES)]
    total = sizes.clip(min=0).sum()
    return places * np.where(ends < 0, -1, 1), largest / (total or 1)


def _point(vector: Vector, x: float, y: float) -> Mapping[str, Any]:
    return {
        "id": vector.id,
        "x": x,
        "y": y,
        "namespace": vector.namespace,
        "metadata": _labels(vector.metadata),
    }


def _labels(metadata: bytes | None) -> Mapping[str, Any]:
    """Return what a point can be coloured by: short texts, numbers, booleans."""
    found = msgspec.json.decode(metadata) if metadata else {}
    return {
        key: value[:TEXT_MAX] if isinstance(value, str) else value
        for key, value in found.items()
        if isinstance(value, str | int | float | bool)
    }
