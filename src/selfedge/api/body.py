"""Bodies of calls: bounded, and parsed by content, not by their header."""

from typing import Any, TypeVar

import msgspec

from selfedge.api.codes import BAD_BODY, BODY_TOO_LARGE
from selfedge.binding import Call
from selfedge.errors import ApiError

T = TypeVar("T")

JSON_MAX_BYTES = 16 * 1024 * 1024


async def read_bytes(call: Call, *, most_bytes: int) -> bytes:
    """Return the whole body.

    Raises:
        ApiError: it is over `most_bytes` (status 413).
    """
    parts = bytearray()
    async for part in call.request.content.iter_any():
        parts += part
        if len(parts) > most_bytes:
            raise ApiError(
                f"The request body is over {most_bytes} bytes.",
                status=413,
                number=BODY_TOO_LARGE,
            )
    return bytes(parts)


async def read_json(call: Call, *, most_bytes: int = JSON_MAX_BYTES) -> Any:
    """Return the body's JSON, whatever its content type says.

    Raises:
        ApiError: it is too large (413), or no JSON (400).
    """
    raw = await read_bytes(call, most_bytes=most_bytes)
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError(
            f"The request body is not JSON: {error}.", status=400, number=BAD_BODY
        ) from error


async def read_as(call: Call, shape: type[T], *, most_bytes: int = JSON_MAX_BYTES) -> T:
    """Return the body's JSON as `shape`, a msgspec.Struct or another type.

    Raises:
        ApiError: it is too large (413), no JSON, or of another shape (400; the
            message names the field).
    """
    value = await read_json(call, most_bytes=most_bytes)
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise ApiError(
            f"The request body is wrong: {error}.", status=400, number=BAD_BODY
        ) from error
