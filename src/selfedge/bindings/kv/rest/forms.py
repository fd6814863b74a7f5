"""A value that comes in a form, with its metadata beside it."""

from aiohttp import BodyPartReader
from aiohttp.web import BaseRequest

from selfedge.bindings.kv import errors, limits

_CHUNK_BYTES = 64 * 1024
_METADATA_MAX_BYTES = 64 * 1024  # over KV's limit, so that its own error tells


def is_form(request: BaseRequest) -> bool:
    """Return whether the body is a form."""
    kind = request.headers.get("Content-Type", "").partition(";")[0]
    return kind.strip().lower() == "multipart/form-data"


async def read_form(request: BaseRequest) -> tuple[bytes, str | None]:
    """Return the parts `value` and `metadata`, in whatever order they come.

    Raises:
        KVError: the form cannot be read, has no value, or is too large.
    """
    value: bytes | None = None
    metadata: str | None = None
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            if part.name == "value":
                value = await _limited(part, limits.VALUE_MAX_BYTES)
            elif part.name == "metadata":
                metadata = (await _limited(part, _METADATA_MAX_BYTES)).decode()
    except (ValueError, AssertionError) as error:
        raise errors.InvalidRequest(f"The form cannot be read: {error}.") from error
    if value is None:
        raise errors.InvalidRequest("The form has no part named value.")
    return value, metadata


async def _limited(part: BodyPartReader, most_bytes: int) -> bytes:
    body = bytearray()
    while chunk := await part.read_chunk(_CHUNK_BYTES):
        body += chunk
        if len(body) > most_bytes:
            raise errors.ValueTooLarge(len(body))
    return bytes(body)
