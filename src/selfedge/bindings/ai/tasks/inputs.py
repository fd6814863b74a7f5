"""Checks a Worker's inputs against a struct, and says what is wrong with them."""

import base64
import binascii
import re
from operator import eq
from typing import Any, TypeVar

import msgspec

from selfedge.bindings.ai.errors import BadInput
from selfedge.bindings.ai.tasks.contract import Asked

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


def no_file(asked: Asked) -> None:
    """Refuse a stream among the inputs.

    Raises:
        BadInput: there is one.
    """
    if asked.file:
        raise BadInput("the inputs hold a stream; this model takes none")


def binary(asked: Asked, name: str) -> bytes:
    """Return the bytes of the input `name`, in whichever form they were given.

    That is a stream, an array of numbers, a `Uint8Array` (which the engine's client
    sends as an object of numbers), or base64.

    Raises:
        BadInput: there are none, or they are no bytes.
    """
    if asked.file:
        return asked.file.content
    inputs = asked.inputs if isinstance(asked.inputs, dict) else {}
    value = inputs.get(name)
    if isinstance(value, dict):
        value = _in_order(value)
    try:
        if isinstance(value, bytes):  # of `numbers.decode`
            found = value
        elif isinstance(value, str):
            found = base64.b64decode(value.partition("base64,")[2] or value)
        elif isinstance(value, list):
            found = bytes(value)
        else:
            raise BadInput(f"required properties at '/' are '{name}'")
    except (binascii.Error, ValueError, TypeError) as error:
        raise BadInput(
            f"{name}: give bytes as an array of numbers from 0 to 255, as base64, or "
            "as a stream"
        ) from error
    if not found:
        raise BadInput(f"{name}: is empty (an ArrayBuffer arrives so; send an array)")
    return found


def _in_order(numbers: dict[str, Any]) -> list[Any]:
    """Return what is under "0", "1" and so on; the client sends millions, in order."""
    places = map(str, range(len(numbers)))
    if all(map(eq, numbers, places)):
        return list(numbers.values())
    return [numbers.get(str(place)) for place in range(len(numbers))]


def _readable(message: str) -> str:
    found = _PLACE.match(message)
    problem = (found["problem"] if found else message).replace("`", "")
    place = found["place"] if found else None
    text = problem[:1].lower() + problem[1:]
    return f"{place}: {text}" if place else text
