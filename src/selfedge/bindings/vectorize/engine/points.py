"""A vector ↔ what qdrant keeps of it.

Points are named by 128 bits of BLAKE2b of the id; the id itself stands in the
payload and is compared when a vector is fetched by id. qdrant stores vectors of
a cosine index scaled to length 1, so the exact 32-bit values of those that are
not so already stand in the payload too.
"""

import math
from array import array
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any
from uuid import UUID

from selfedge.bindings.vectorize.engine.contract import Metric, Vector, floats

ID = "id"
NAMESPACE = "ns"
METADATA = "json"  # its text: key order and large numbers come back
EXACT = "v"
FIELD_PREFIX = "f"  # fields are called f1, f2, …

_UNIT_TOLERANCE = 2e-7  # qdrant leaves alone what is nearer to length 1 than 1e-6
_SAFE_LENGTHS = (1e-10, 1e15)  # qdrant squares lengths in 32 bits


def point_id(name: str) -> UUID:
    """Return the point's id for the vector called `name`."""
    return UUID(bytes=blake2b(name.encode(), digest_size=16).digest())


def length(
    values: Sequence[float], metric: Metric, known: float | None = None
) -> float:
    """Return the length that `scaled` and `payload` need; 1 if they need none."""
    if metric is not Metric.COSINE:
        return 1.0
    return math.hypot(*values) if known is None else known


def scaled(values: Sequence[float], length: float) -> Sequence[float]:
    """Return what to hand to qdrant, which loses very long and short vectors."""
    if length == 0 or _SAFE_LENGTHS[0] < length < _SAFE_LENGTHS[1]:
        return values
    return [value / length for value in values]


def payload(vector: Vector, length: float) -> dict[str, Any]:
    """Return all that is kept beside the values."""
    kept: dict[str, Any] = {ID: vector.id}
    if vector.namespace is not None:
        kept[NAMESPACE] = vector.namespace
    if vector.metadata is not None:
        kept[METADATA] = vector.metadata.decode()
    kept.update((field, storable(value)) for field, value in vector.fields.items())
    if abs(length - 1) > _UNIT_TOLERANCE:
        kept[EXACT] = b64encode(floats(vector.values).tobytes()).decode()
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
        fields=_fields(kept),
    )


def _fields(kept: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: kept[name] for name in kept if name.startswith(FIELD_PREFIX)}


def storable(value: str | float | bool) -> str | float:  # noqa: FBT001 - a value
    """Return how a field's value is stored.

    qdrant-edge reads Python's True as 1 where it compares, so booleans are words.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else float(value)
