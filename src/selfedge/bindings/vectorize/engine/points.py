"""A vector ↔ what qdrant keeps of it.

Points are named by 128 bits of BLAKE2b of the id; the id itself stands in the
payload and is compared when a vector is fetched by id. qdrant stores vectors of
a cosine index scaled to length 1, so the exact 32-bit values of those that are
not so already stand in the payload too.
"""

import math
from array import array
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any
from uuid import UUID

import msgspec

from selfedge.bindings.vectorize.engine.contract import Metric, Vector
from selfedge.bindings.vectorize.limits import INDEXED_LEVELS_MAX

ID = "id"
NAMESPACE = "ns"
METADATA = "json"  # its text, so that key order and large numbers come back
FIELDS = "m"  # the same, decoded and `comparable`: what filters look at
EXACT = "v"

_MARK = "\x01"
_UNIT_TOLERANCE = 2e-7  # qdrant leaves alone what is nearer to length 1 than 1e-6
_SAFE_LENGTHS = (1e-10, 1e15)  # qdrant squares lengths in 32 bits


def point_id(name: str) -> UUID:
    """Return the point's id for the vector called `name`."""
    return UUID(bytes=blake2b(name.encode(), digest_size=16).digest())


def scaled(values: Sequence[float], metric: Metric) -> list[float]:
    """Return what to hand to qdrant, which loses very long and short vectors."""
    if metric is not Metric.COSINE:
        return list(values)
    length = math.hypot(*values)
    if length == 0 or _SAFE_LENGTHS[0] < length < _SAFE_LENGTHS[1]:
        return list(values)
    return [value / length for value in values]


def payload(vector: Vector, metric: Metric) -> dict[str, Any]:
    """Return all that is kept beside the values."""
    kept: dict[str, Any] = {ID: vector.id}
    if vector.namespace is not None:
        kept[NAMESPACE] = vector.namespace
    if vector.metadata is not None:
        kept[METADATA] = vector.metadata.decode()
        kept[FIELDS] = _storable(msgspec.json.decode(vector.metadata))
    if (
        metric is Metric.COSINE
        and abs(math.hypot(*vector.values) - 1) > _UNIT_TOLERANCE
    ):
        kept[EXACT] = b64encode(array("f", vector.values).tobytes()).decode()
    return kept


def vector_id(kept: Any) -> str:
    """Return the id that stands in a point's payload."""
    return str(kept[ID])


def vector(kept: Any, values: Any) -> Vector:
    """Return the vector as it was written; no values when `values` is None."""
    if values is not None and (exact := kept.get(EXACT)) is not None:
        values = array("f", b64decode(exact)).tolist()
    metadata = kept.get(METADATA)
    return Vector(
        id=vector_id(kept),
        values=values or (),
        namespace=kept.get(NAMESPACE),
        metadata=None if metadata is None else metadata.encode(),
    )


def comparable(value: Any) -> Any:
    """Return how a metadata scalar stands in a filterable field.

    qdrant-edge reads Python's True as 1 where it compares, so booleans are marked
    strings; integers that 64 bits cannot hold are floats.
    """
    if isinstance(value, bool):
        return f"{_MARK}{value}"
    if isinstance(value, str) and value.startswith(_MARK):
        return _MARK + value
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(value)
    return value


def _storable(value: Any, level: int = 0) -> Any:
    """Return `value` with comparable scalars; what is nested too deeply is None."""
    if not isinstance(value, dict | list):
        return comparable(value)
    if level >= INDEXED_LEVELS_MAX:
        return None
    if isinstance(value, list):
        return [_storable(item, level + 1) for item in value]
    return {key: _storable(item, level + 1) for key, item in value.items()}
