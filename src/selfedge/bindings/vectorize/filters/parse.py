"""`{"a": 1, "b": {"$gte": 2}}` → what is wanted, or a refusal that names the fault."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from selfedge.bindings.vectorize import limits
from selfedge.bindings.vectorize.engine.contract import Operator, Scalar
from selfedge.bindings.vectorize.errors import UnreadableRequest
from selfedge.bindings.vectorize.index.model import Wanted

_OPERATORS: Mapping[str, Operator] = {
    "$eq": "eq",
    "$ne": "ne",
    "$in": "in",
    "$nin": "nin",
    "$lt": "lt",
    "$lte": "lte",
    "$gt": "gt",
    "$gte": "gte",
}


def conditions(text: bytes) -> Sequence[Wanted]:
    """Read the JSON of a filter; all conditions must hold.

    Raises:
        UnreadableRequest: it is no filter, or over a limit.
    """
    found = msgspec.json.decode(text)
    if found is None:
        return ()
    if not isinstance(found, dict):
        raise _refused("expected an object of metadata keys")
    size = len(msgspec.json.encode(found))
    if size >= limits.FILTER_MAX_BYTES:
        raise _refused(
            f"its compact JSON must be shorter than {limits.FILTER_MAX_BYTES} bytes,"
            f" got {size}"
        )
    return [one for key, value in found.items() for one in _of_key(key, value)]


def _of_key(key: str, value: Any) -> Iterator[Wanted]:
    path = _path(key)
    if not isinstance(value, dict):
        yield Wanted(path, "eq", (_scalar(key, value),))
        return
    if not value:
        raise _refused(f"{key!r} has no operator")
    for name, operand in value.items():
        operator = _OPERATORS.get(name)
        if operator is None:
            known = ", ".join(_OPERATORS)
            raise _refused(f"{key!r} has operator {name!r}, expected one of {known}")
        yield Wanted(path, operator, _operands(key, operator, operand))


def _path(key: str) -> str:
    if len(key) > limits.FILTER_KEY_MAX_CHARS:
        raise _refused(
            f"a key has at most {limits.FILTER_KEY_MAX_CHARS} characters,"
            f" got {len(key)}"
        )
    if key.startswith("$") or '"' in key or not all(key.split(".")):
        raise _refused(
            f"key {key!r} is empty, has an empty part, starts with $, or contains a"
            ' double quote (")'
        )
    return key


def _operands(key: str, operator: Operator, operand: Any) -> tuple[Scalar, ...]:
    if operator in ("in", "nin"):
        if not isinstance(operand, list) or not operand:
            raise _refused(f"{key!r}: ${operator} takes an array of values")
        return tuple(_scalar(key, item) for item in operand)
    if operator in ("eq", "ne"):
        return (_scalar(key, operand),)
    if isinstance(operand, bool) or not isinstance(operand, int | float | str):
        raise _refused(f"{key!r}: ${operator} takes a number or a string")
    return (operand,)


def _scalar(key: str, value: Any) -> Scalar:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise _refused(f"{key!r}: expected a string, number, boolean or null")


def _refused(reason: str) -> UnreadableRequest:
    return UnreadableRequest(f"filter: {reason}")
