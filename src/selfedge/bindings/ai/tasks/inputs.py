"""Checks a Worker's inputs against a struct, and says what is wrong with them."""

import re
from typing import TypeVar

import msgspec

from selfedge.bindings.ai.errors import BadInput

S = TypeVar("S", bound=msgspec.Struct)

_PLACE = re.compile(r"^(?P<problem>.*?)(?: - at `\$\.?(?P<place>.*)`)?$", re.DOTALL)


def check(inputs: object, kind: type[S]) -> S:
    """Return `inputs` as a `kind`; a null counts as absent.

    Raises:
        BadInput: naming the field and its limit.
    """
    if not isinstance(inputs, dict):
        raise BadInput("the inputs must be an object")
    given = {name: value for name, value in inputs.items() if value is not None}
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise BadInput(_readable(str(error))) from error


def _readable(message: str) -> str:
    found = _PLACE.match(message)
    problem = (found["problem"] if found else message).replace("`", "")
    place = found["place"] if found else None
    text = problem[:1].lower() + problem[1:]
    return f"{place}: {text}" if place else text
