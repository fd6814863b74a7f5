"""Parts of lists: by number, or by what comes after a cursor.

Clients ask for page after page until one is empty, so every list must end.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from selfedge.api.codes import BAD_QUERY
from selfedge.binding import Page
from selfedge.errors import ApiError

T = TypeVar("T")

_AFTER = ">"  # begins the text of a cursor


def numbered(
    items: Sequence[T],
    query: Mapping[str, str],
    *,
    default: int = 20,
    most: int = 1000,
) -> Page:
    """Return the part that `page` and `per_page` ask for; past the end: none.

    Raises:
        ApiError: one of them is not a number in its range.
    """
    number = whole(query, "page", default=1)
    size = whole(query, "per_page", default=default, most=most)
    part = items[(number - 1) * size : number * size]
    info = {
        "page": number,
        "per_page": size,
        "count": len(part),
        "total_count": len(items),
        "total_pages": -(-len(items) // size),
    }
    return Page(items=part, info=info)


def whole_list(items: Sequence[T], query: Mapping[str, str]) -> Page:
    """Return all on page 1, none on others: for lists that Cloudflare does not part.

    Raises:
        ApiError: `page` is not a number from 1 on.
    """
    number = whole(query, "page", default=1)
    part = items if number == 1 else items[:0]
    info = {
        "page": number,
        "per_page": max(1, len(items)),
        "count": len(part),
        "total_count": len(items),
        "total_pages": 1,
    }
    return Page(items=part, info=info)


def after(
    items: Sequence[T],
    query: Mapping[str, str],
    key: Callable[[T], str],
    *,
    size: int,
) -> tuple[Sequence[T], str]:
    """Return `size` of `items` after the query's `cursor`, and the next cursor.

    `items` are sorted by `key`, which is unique; so a list that changes between two
    calls neither repeats nor skips what stays. The last part's cursor is "".

    Raises:
        ApiError: the cursor is none of ours.
    """
    last = read_cursor(query.get("cursor", ""))
    rest = [item for item in items if last is None or key(item) > last]
    part = rest[:size]
    more = len(rest) > len(part)
    return part, write_cursor(key(part[-1])) if more and part else ""


def write_cursor(position: str) -> str:
    """Return an opaque text that stands for `position`; never ""."""
    raw = f"{_AFTER}{position}".encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read_cursor(cursor: str) -> str | None:
    """Return the position that `cursor` stands for; None for "", the start.

    Raises:
        ApiError: the cursor is none of ours.
    """
    if not cursor:
        return None
    try:
        raw = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        text = base64.b64decode(raw, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise _foreign_cursor() from error
    if not text.startswith(_AFTER):
        raise _foreign_cursor()
    return text.removeprefix(_AFTER)


def whole(
    query: Mapping[str, str], name: str, *, default: int, most: int = 1_000_000_000
) -> int:
    """Return a whole number of the query, from 1 to `most`.

    Raises:
        ApiError: it is something else.
    """
    text = query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 10:
        value = 0
    else:
        value = int(text)
    if not 1 <= value <= most:
        raise ApiError(
            f"{name} must be a whole number from 1 to {most}, not {text[:40]!r}.",
            status=400,
            number=BAD_QUERY,
        )
    return value


def _foreign_cursor() -> ApiError:
    return ApiError(
        "cursor is not one of ours: take it from the last answer.",
        status=400,
        number=BAD_QUERY,
    )
