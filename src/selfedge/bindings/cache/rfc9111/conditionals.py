"""Conditional requests, as a cache answers them (RFC 9110 §13, RFC 9111 §4.3.2)."""

import re

from selfedge.bindings.cache.rfc9111.dates import parse_date
from selfedge.bindings.cache.rfc9111.vary import Headers

_TAG = re.compile(r'(?:W/)?("[^"]*")')


def not_modified(request: Headers, etag: str | None, last_modified: str | None) -> bool:
    """Tell whether the client's copy is the stored response: answer 304.

    `If-Modified-Since` counts only when there is no `If-None-Match`.
    """
    none_match = request("if-none-match")
    if none_match is not None:
        return _matches(none_match, etag)
    since = parse_date(request("if-modified-since"))
    modified = parse_date(last_modified)
    return since is not None and modified is not None and modified <= since


def range_applies(
    request: Headers, etag: str | None, last_modified: str | None
) -> bool:
    """Tell whether `If-Range`, if there is one, lets `Range` count."""
    condition = request("if-range")
    if condition is None:
        return True
    condition = condition.strip()
    if condition.startswith('"'):
        return condition == etag
    if parse_date(condition) is None:  # a weak tag too: it never says "same bytes"
        return False
    return condition == last_modified


def _matches(none_match: str, etag: str | None) -> bool:
    if none_match.strip() == "*":
        return True
    own = _TAG.fullmatch(etag) if etag else None
    return own is not None and own.group(1) in _TAG.findall(none_match)
