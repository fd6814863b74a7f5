"""Conditions on metadata → qdrant's filters."""

import math
from collections.abc import Sequence
from typing import Any

import qdrant_edge as qdrant

from selfedge.bindings.vectorize.engine.contract import Condition, Scalar, Search
from selfedge.bindings.vectorize.engine.points import (
    FIELDS,
    NAMESPACE,
    comparable,
)

_EXACT_INTEGERS = 2**53


def matching(search: Search) -> qdrant.Filter | None:
    """Return the filter of `search`, or None when it has none."""
    must: list[Any] = []
    must_not: list[Any] = []
    if search.namespace is not None:
        must.append(_matches(NAMESPACE, search.namespace))
    for condition in search.conditions:
        negated = condition.operator in ("ne", "nin")
        (must_not if negated else must).append(_one(condition))
    if not must and not must_not:
        return None
    return qdrant.Filter(must=must, must_not=must_not)


def _one(condition: Condition) -> Any:
    key = ".".join([FIELDS, *(f'"{part}"' for part in condition.path)])
    if condition.operator in ("eq", "ne", "in", "nin"):
        return _any_of(key, condition.operands)
    bounds: dict[str, Any] = {condition.operator: condition.operands[0]}
    return qdrant.FieldCondition(key, range=qdrant.RangeFloat(**bounds))


def _any_of(key: str, operands: Sequence[Scalar]) -> Any:
    return qdrant.Filter(should=[_equals(key, operand) for operand in operands])


def _equals(key: str, operand: Scalar) -> Any:
    if operand is None:
        return qdrant.IsNullCondition(key)
    operand = comparable(operand)
    if isinstance(operand, str):
        return _matches(key, operand)
    return qdrant.FieldCondition(key, range=_about(operand))


def _about(number: float) -> qdrant.RangeFloat:
    """Return `number` and its neighbours: qdrant may read a float one bit off."""
    if abs(number) < _EXACT_INTEGERS and number == int(number):
        return qdrant.RangeFloat(gte=number, lte=number)
    below, above = math.nextafter(number, -math.inf), math.nextafter(number, math.inf)
    return qdrant.RangeFloat(gte=below, lte=above)


def _matches(key: str, text: str) -> Any:
    return qdrant.FieldCondition(key, match=qdrant.MatchValue(text))
