"""Bodies of `multipart/form-data` as parts: pure, and no copy of what they hold."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex

from selfedge.control.workers.problem import BAD_UPLOAD, bad
from selfedge.errors import ApiError

PARTS_MAX = 2000
_HEAD_MAX_BYTES = 8 * 1024
_BOUNDARY = re.compile(
    r';\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE
)
_PARAMETER = re.compile(
    r""";\s*(filename\*|filename|name)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^;"\s]*))""",
    re.IGNORECASE,
)
_ESCAPES = {"%22": '"', "%0D": "\r", "%0A": "\n", "%0d": "\r", "%0a": "\n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a form."""

    name: str
    filename: str | None
    content_type: str  # in lowercase, without parameters; "" if it has none
    body: memoryview

    @property
    def file(self) -> str:
        """What the part is called: SDKs give all parts one name."""
        return self.name if self.filename is None else self.filename


def parse(content_type: str, body: bytes) -> Sequence[Part]:
    """Return the parts of a form.

    Raises:
        ApiError: it is none, or has too many parts.
    """
    match = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/form-data") or match is None:
        raise _wrong("its Content-Type is not multipart/form-data with a boundary")
    boundary = (match[1] or match[2]).encode("utf-8", "surrogateescape")
    parts: list[Part] = []
    for start, end in _spans(body, b"--" + boundary):
        if len(parts) == PARTS_MAX:
            raise _wrong(f"it has over {PARTS_MAX} parts")
        parts.append(_part(body, start, end))
    return parts


def form(parts: Mapping[str, tuple[str, bytes]]) -> tuple[str, bytes]:
    """Return the content type and the body of a form: name → type, bytes."""
    boundary = token_hex(16)
    pieces = []
    for name, (kind, content) in parts.items():
        quoted = _quoted(name)
        pieces.append(
            f"--{boundary}\r\nContent-Disposition: form-data; "
            f'name="{quoted}"; filename="{quoted}"\r\n'
            f"Content-Type: {kind}\r\n\r\n".encode()
            + content
            + b"\r\n"
        )
    pieces.append(f"--{boundary}--\r\n".encode())
    return f"multipart/form-data; boundary={boundary}", b"".join(pieces)


def _spans(body: bytes, delimiter: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each part begins and ends."""
    at = 0 if body.startswith(delimiter) else _next(body, delimiter, 0) + 2
    while True:
        at += len(delimiter)
        if body[at : at + 2] == b"--":
            return
        line_end = body.find(b"\r\n", at, at + _HEAD_MAX_BYTES)
        if line_end < 0 or body[at:line_end].strip(b" \t"):
            raise _wrong("a boundary is not followed by a line end")
        end = _next(body, delimiter, line_end)
        yield line_end + 2, max(end, line_end + 2)
        at = end + 2


def _next(body: bytes, delimiter: bytes, start: int) -> int:
    """Return where the line end before the next delimiter stands."""
    at = body.find(b"\r\n" + delimiter, start)
    if at < 0:
        raise _wrong("it does not end with its boundary")
    return at


def _part(body: bytes, start: int, end: int) -> Part:
    if body[start : start + 2] == b"\r\n":
        raise _wrong("a part has no Content-Disposition with a name")
    blank = body.find(b"\r\n\r\n", start, min(end + 2, start + _HEAD_MAX_BYTES))
    if blank < 0:
        raise _wrong(f"the headers of a part do not end within {_HEAD_MAX_BYTES} bytes")
    headers = _headers(body[start:blank])
    fields = _parameters(headers.get("content-disposition", ""))
    if "name" not in fields:
        raise _wrong("a part has no Content-Disposition with a name")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return Part(
        name=fields["name"],
        filename=fields.get("filename"),
        content_type=kind,
        body=memoryview(body)[min(blank + 4, end) : end],
    )


def _headers(raw: bytes) -> Mapping[str, str]:
    try:
        lines = raw.decode().split("\r\n")
    except UnicodeDecodeError as error:
        raise _wrong("the headers of a part are not UTF-8") from error
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _parameters(disposition: str) -> Mapping[str, str]:
    """Return `name` and `filename`, as browsers and their like write them."""
    fields: dict[str, str] = {}
    for key, quoted, bare in _PARAMETER.findall(disposition):
        value = quoted.replace('\\"', '"').replace("\\\\", "\\") or bare
        for escape, meant in _ESCAPES.items():
            value = value.replace(escape, meant)
        fields.setdefault(key.lower(), value)
    return fields


def _quoted(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _wrong(what: str) -> ApiError:
    return bad(f"The body is not a form that can be read: {what}.", BAD_UPLOAD)
