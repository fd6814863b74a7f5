"""Metadata indexes: what of a vector's metadata filters can look at."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from selfedge.bindings.vectorize.engine.contract import (
    Condition,
    Hit,
    Operator,
    Scalar,
    Vector,
)
from selfedge.bindings.vectorize.index.model import MetadataIndex, Wanted
from selfedge.bindings.vectorize.limits import INDEXED_STRING_MAX_BYTES

_NEGATED: frozenset[Operator] = frozenset(("ne", "nin"))


def with_fields(
    vectors: Sequence[Vector], indexes: Sequence[MetadataIndex]
) -> Sequence[Vector]:
    """Return `vectors` with the fields that `indexes` make of their metadata."""
    if not indexes:
        return vectors
    return [
        vector
        if vector.metadata is None
        else Vector(
            vector.id,
            vector.values,
            vector.namespace,
            vector.metadata,
            _fields(vector.metadata, indexes),
            vector.length,
        )
        for vector in vectors
    ]


def resolved(
    wanted: Sequence[Wanted], indexes: Sequence[MetadataIndex]
) -> Sequence[Condition] | None:
    """Return what the engine must look for, or None when nothing can match.

    A property without an index has no value in any vector.
    """
    by_path = {index.property_name: index for index in indexes}
    found: list[Condition] = []
    for one in wanted:
        index = by_path.get(one.path)
        operands = tuple(_operands(one.operands, index))
        if operands and index is not None:
            found.append(Condition(index.field, one.operator, operands))
        elif _is_nothing(one, index):
            return None
    return found


def indexed_only(hit: Hit, indexes: Sequence[MetadataIndex]) -> Hit:
    """Return `hit` with the metadata that its fields are."""
    metadata: dict[str, Any] = {}
    for index in indexes:
        if index.field in hit.vector.fields:
            value = hit.vector.fields[index.field]
            if index.index_type == "boolean":
                value = value in (True, "true")
            _put(metadata, index.property_name.split("."), value)
    text = msgspec.json.encode(metadata) if hit.vector.metadata is not None else None
    return Hit(replace(hit.vector, metadata=text), hit.score)


def _fields(
    metadata: bytes, indexes: Iterable[MetadataIndex]
) -> Mapping[str, str | float | bool]:
    decoded = msgspec.json.decode(metadata)
    fields = {}
    for index in indexes:
        value = _indexable(_at(decoded, index.property_name), index)
        if value is not None:
            fields[index.field] = value
    return fields


def _at(metadata: Any, path: str) -> Any:
    if isinstance(metadata, dict) and path in metadata:
        return metadata[path]
    for key in path.split("."):
        if not isinstance(metadata, dict):
            return None
        metadata = metadata.get(key)
    return metadata


def _indexable(value: Any, index: MetadataIndex) -> str | float | bool | None:
    """Return `value` as the index holds it; None if it is of another type."""
    kind = index.index_type
    if isinstance(value, bool):
        return value if kind == "boolean" else None
    if isinstance(value, str):
        return _start(value) if kind == "string" else None
    if isinstance(value, int | float) and kind == "number":
        return _number(value)
    return None


def _start(text: str) -> str:
    if len(text) * 4 <= INDEXED_STRING_MAX_BYTES:
        return text
    return text.encode()[:INDEXED_STRING_MAX_BYTES].decode(errors="ignore")


def _number(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _operands(
    operands: Iterable[Scalar], index: MetadataIndex | None
) -> Iterator[Scalar]:
    if index is None:
        return
    for operand in operands:
        if operand is None:
            yield None
        elif (value := _indexable(operand, index)) is not None:
            yield value


def _is_nothing(one: Wanted, index: MetadataIndex | None) -> bool:
    """Whether no vector fits, given that no operand can be a value of the index."""
    if index is None and None in one.operands:  # all of them have no value
        return one.operator in _NEGATED
    return one.operator not in _NEGATED


def _put(metadata: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for key in path[:-1]:
        inner = metadata.setdefault(key, {})
        if not isinstance(inner, dict):
            return
        metadata = inner
    metadata[path[-1]] = value
