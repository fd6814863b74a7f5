"""Files that a client sends as a form."""

import base64
from collections.abc import Mapping, Sequence

from aiohttp import BodyPartReader
from aiohttp.web import BaseRequest

from selfedge.bindings.ai.errors import BadInput, RequestTooLarge
from selfedge.bindings.ai.limits import REQUEST_MAX_BYTES

_BLOCK_BYTES = 256 * 1024


async def read_files(request: BaseRequest) -> Sequence[Mapping[str, str]]:
    """Return the files of a form, as the engine's client writes them in JSON.

    Raises:
        BadInput: it is no form, or one without files.
        RequestTooLarge: it is over the limit.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise BadInput("files: send them as multipart/form-data")
    found: list[Mapping[str, str]] = []
    size = 0
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise BadInput("files: a form within the form")
            content = bytearray()
            while block := await part.read_chunk(_BLOCK_BYTES):
                content += block
                _limit(size + len(content))
            size += len(content)
            if part.filename:
                found.append(_file(part, part.filename, content))
    except (ValueError, AssertionError) as error:  # of aiohttp's reader
        raise BadInput(f"files: the form is damaged ({error})") from error
    if not found:
        raise BadInput("files: the form holds none")
    return found


def _limit(size_bytes: int) -> None:
    if size_bytes > REQUEST_MAX_BYTES:
        raise RequestTooLarge(
            f"Request is too large: over {REQUEST_MAX_BYTES // 1024**2} MiB"
        )


def _file(part: BodyPartReader, name: str, content: bytearray) -> Mapping[str, str]:
    return {
        "name": name,
        "mimeType": part.headers.get("content-type", ""),
        "data": base64.b64encode(content).decode(),
    }
