"""An object and the headers of HTTP, both ways; pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from selfedge.bindings.r2 import errors
from selfedge.bindings.r2.model import (
    Conditions,
    Etag,
    Found,
    HttpMetadata,
    Object,
    PutOptions,
)

STORAGE_CLASS = "cf-r2-storage-class"
JURISDICTION = "cf-r2-jurisdiction"
_TYPE = "application/octet-stream"


def options(headers: Mapping[str, str]) -> PutOptions:
    """Return what the headers of an upload say of the object.

    Raises:
        InvalidArgument: `Expires` is no time.
    """
    expires = headers.get("Expires")
    return PutOptions(
        http=HttpMetadata(
            content_type=headers.get("Content-Type"),
            content_language=headers.get("Content-Language"),
            content_disposition=headers.get("Content-Disposition"),
            content_encoding=headers.get("Content-Encoding"),
            cache_control=headers.get("Cache-Control"),
            cache_expiry=None if expires is None else _expiry(expires),
        ),
        storage_class=headers.get(STORAGE_CLASS),
        conditions=conditions(headers),
    )


def conditions(headers: Mapping[str, str]) -> Conditions | None:
    """Return what must hold of the object that is there; None when nothing."""
    found = Conditions(
        etag_matches=_etags(headers.get("If-Match")),
        etag_does_not_match=_etags(headers.get("If-None-Match")),
        uploaded_before=_time(headers.get("If-Unmodified-Since")),
        uploaded_after=_time(headers.get("If-Modified-Since")),
        seconds_granularity=True,
    )
    return None if found == _NOTHING else found


def unmet(headers: Mapping[str, str]) -> int:
    """Return the status of a read whose conditions do not hold."""
    changed = "If-None-Match" in headers or "If-Modified-Since" in headers
    fixed = "If-Match" in headers or "If-Unmodified-Since" in headers
    return 304 if changed and not fixed else 412


def shown(found: Object) -> dict[str, str]:
    """Return the headers that an object is served with."""
    http = found.http
    headers = {
        "Content-Type": http.content_type or _TYPE,
        "Content-Language": http.content_language,
        "Content-Disposition": http.content_disposition,
        "Content-Encoding": http.content_encoding,
        "Cache-Control": http.cache_control,
        "Expires": None if http.cache_expiry is None else _date(http.cache_expiry),
        "ETag": f'"{found.etag}"',
        "Last-Modified": _date(found.uploaded),
        "Accept-Ranges": "bytes",
        STORAGE_CLASS: found.storage_class,
    }
    return {
        name: _one_line(value) for name, value in headers.items() if value is not None
    }


def content_range(found: Found) -> str:
    """Return the header that says which bytes follow."""
    last = found.start + found.length - 1
    return f"bytes {found.start}-{last}/{found.object.size}"


def _one_line(value: str) -> str:
    return "".join(" " if char in "\r\n\0" else char for char in value)


def _date(ms: int) -> str:
    try:
        moment = datetime.fromtimestamp(ms // 1000, UTC)
    except (ValueError, OverflowError, OSError):
        moment = datetime.max.replace(tzinfo=UTC)
    return format_datetime(moment, usegmt=True)


def _expiry(text: str) -> int:
    found = _time(text)
    if found is None:
        raise errors.InvalidArgument(
            f"Expires must be a date of HTTP, not {text[:60]!r}."
        )
    return found


def _time(text: str | None) -> int | None:
    try:
        moment = None if text is None else parsedate_to_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        return None
    return max(0, int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000))


def _etags(text: str | None) -> list[Etag] | None:
    if not text:
        return None
    return [_etag(one.strip()) for one in text.split(",")]


def _etag(text: str) -> Etag:
    if text == "*":
        return Etag("wildcard")
    weak = text.startswith("W/")
    return Etag("weak" if weak else "strong", text.removeprefix("W/").strip('"'))


_NOTHING = Conditions(seconds_granularity=True)
