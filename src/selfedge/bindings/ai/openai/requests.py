"""What all requests have in common: they are read and refused alike."""

from collections.abc import Mapping
from typing import Annotated, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from selfedge.bindings.ai.errors import BadInput
from selfedge.bindings.ai.limits import SEED_MAX
from selfedge.bindings.ai.tasks.inputs import check

S = TypeVar("S", bound=msgspec.Struct)

ModelId: TypeAlias = Annotated[str, Meta(min_length=1)]
Stop: TypeAlias = str | Annotated[list[str], Meta(max_length=4)]


class StreamOptions(msgspec.Struct, frozen=True):
    """What a stream tells besides the text."""

    include_usage: bool | None = None


def decode(body: bytes, kind: type[S]) -> S:
    """Return a request's body as a `kind`; a null counts as absent.

    Raises:
        BadInput: naming the field.
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInput(f"the body is no JSON ({error})") from error
    return check(value, kind)


def refuse(given: msgspec.Struct, fields: Mapping[str, str]) -> None:
    """Refuse what cannot be honoured: `fields` are names and remedies.

    Raises:
        BadInput: one of them is set.
    """
    for name, remedy in fields.items():
        if getattr(given, name):
            raise BadInput(f"{name}: not supported; {remedy}")


def native_seed(seed: int | None) -> int | None:
    """Return a seed within Workers AI's range; those in it stay as they are."""
    return None if seed is None else (seed - 1) % SEED_MAX + 1


def set_only(values: Mapping[str, object]) -> dict[str, object]:
    """Leave out what was not given, so that the model's defaults count."""
    return {name: value for name, value in values.items() if value is not None}
