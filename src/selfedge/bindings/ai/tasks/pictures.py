"""What all tasks that look at pictures check, without unpacking any."""

from collections.abc import Sequence

from selfedge.bindings.ai.errors import BadInput
from selfedge.bindings.ai.limits import PICTURE_MAX_BYTES
from selfedge.bindings.ai.tasks.contract import Asked
from selfedge.bindings.ai.tasks.inputs import binary

_SIGNATURES: Sequence[tuple[int, bytes]] = (  # where, what
    (0, b"\xff\xd8\xff"),
    (0, b"\x89PNG\r\n\x1a\n"),
    (8, b"WEBP"),
    (0, b"GIF8"),
    (0, b"BM"),
)


def picture(asked: Asked, name: str) -> bytes:
    """Return the bytes of the input `name`, which begin as a picture does.

    Raises:
        BadInput: they are missing, too many, or no picture.
    """
    if not asked.file and not isinstance(asked.inputs, dict):
        raise BadInput("the inputs must be an object")
    found = binary(asked, name)
    if len(found) > PICTURE_MAX_BYTES:
        raise BadInput(
            f"{name}: {len(found)} bytes are too many, at most {PICTURE_MAX_BYTES}"
        )
    if not any(found.startswith(mark, place) for place, mark in _SIGNATURES):
        raise BadInput(
            f"{name}: is no picture that can be read (JPEG, PNG, WEBP, GIF or BMP)"
        )
    return found
