"""Conditions on fields → qdrant's filters."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Any

import qdrant_edge as qdrant

from selfedge.bindings.vectorize.engine.contract import Condition, Scalar, Search
from selfedge.bindings.vectorize.engine.points import NAMESPACE, storable

_EXACT_INTEGERS = 2**53

Terms = Callable[[str], Sequence[str]]
"""field → all strings that it has somewhere, in order."""


def matching(search: Search, terms: Terms) -> qdrant.Filter | None:
    """Return the filter of `search`, or None when it has none."""
    must: list[Any] = []
    must_not: list[Any] = []
    if search.namespace is not None:
        must.append(_matches(NAMESPACE, search.namespace))
    for condition in search.conditions:
        negated = condition.operator in ("ne", "nin")
        (must_not if negated else must).append(_one(condition, terms))
    if not must and not must_not:
        return None
    return qdrant.Filter(must=must, must_not=must_not)


def _one(condition: Condition, terms: Terms) -> Any:
    field, operator, operands = condition.field, condition.operator, condition.operands
    if operator in ("eq", "ne", "in", "nin"):
        return _any_of(field, operands)
    (bound,) = operands
    if isinstance(bound, str):
        return _among(field, _within(terms(field), operator, bound))
    bounds: dict[str, Any] = {operator: bound}
    return qdrant.FieldCondition(field, range=qdrant.RangeFloat(**bounds))


def _within(terms: Sequence[str], operator: str, bound: str) -> Sequence[str]:
    if operator in ("lt", "gte"):
        cut = bisect_left(terms, bound)
    else:
        cut = bisect_right(terms, bound)
    return terms[:cut] if operator in ("lt", "lte") else terms[cut:]


def _any_of(field: str, operands: Sequence[Scalar]) -> Any:
    texts = [operand for operand in operands if isinstance(operand, str)]
    if len(texts) == len(operands):
        return _among(field, texts)
    return qdrant.Filter(should=[_equals(field, operand) for operand in operands])


def _equals(field: str, operand: Scalar) -> Any:
    if operand is None:
        return qdrant.IsEmptyCondition(field)
    if isinstance(operand, str | bool):
        return _matches(field, str(storable(operand)))
    return qdrant.FieldCondition(field, range=_about(operand))


def _about(number: float) -> qdrant.RangeFloat:
    """Return `number` and its neighbours: qdrant may read a float one bit off."""
    if abs(number) < _EXACT_INTEGERS and number == int(number):
        return qdrant.RangeFloat(gte=number, lte=number)
    below, above = math.nextafter(number, -math.inf), math.nextafter(number, math.inf)
    return qdrant.RangeFloat(gte=below, lte=above)


def _matches(field: str, text: str) -> Any:
    return qdrant.FieldCondition(field, match=qdrant.MatchValue(text))


def _among(field: str, texts: Sequence[str]) -> Any:
    return qdrant.FieldCondition(field, match=qdrant.MatchAny(list(texts)))
