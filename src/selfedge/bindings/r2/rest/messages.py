"""R2's values as the control API shows them, and what its callers ask; pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from selfedge.api.paging import whole
from selfedge.bindings.r2 import errors
from selfedge.bindings.r2.buckets import Bucket
from selfedge.bindings.r2.limits import LIST_MAX_KEYS
from selfedge.bindings.r2.listing import Usage
from selfedge.bindings.r2.model import ListQuery, Object, Page

DEFAULT = "default"
_JURISDICTION = re.compile(r"[a-z][a-z-]{0,30}")
_JURISDICTIONS = ("eu", "us", "fedramp", "fedramp-high")
_LISTED = 20  # buckets and objects, where a call does not say


class NewBucket(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What the making of a bucket takes."""

    name: str
    storage_class: str = "Standard"
    location_hint: Annotated[str, msgspec.Meta(max_length=32)] = ""


def bucket_name(name: str, jurisdiction: str) -> str:
    """Return how a bucket is called here.

    Raises:
        InvalidArgument: that is no jurisdiction.
    """
    if jurisdiction in ("", DEFAULT):
        return name
    if not _JURISDICTION.fullmatch(jurisdiction):
        raise errors.InvalidArgument(f"There is no jurisdiction {jurisdiction[:40]!r}.")
    return f"{jurisdiction}/{name}"


def figured(name: str) -> str:
    """Return how a bucket of GraphQL ("eu_photos") is called here."""
    jurisdiction, joint, rest = name.partition("_")
    if joint and jurisdiction in _JURISDICTIONS:
        return bucket_name(rest, jurisdiction)
    return name


def bucket(found: Bucket) -> Mapping[str, str]:
    """Return what is told of a bucket."""
    jurisdiction, _, name = found.name.rpartition("/")
    return {
        "name": name,
        "creation_date": time(found.created),
        "location": found.location,
        "storage_class": found.storage_class,
        "jurisdiction": jurisdiction or DEFAULT,
    }


def buckets(
    found: Sequence[Bucket], query: Mapping[str, str], jurisdiction: str
) -> tuple[Sequence[Bucket], str]:
    """Return the part of a list that is asked for, and where it goes on.

    Raises:
        ApiError: `per_page` is not a number in its range.
    """
    inside = "" if jurisdiction == DEFAULT else jurisdiction
    after = query.get("cursor") or query.get("start_after") or ""
    down = query.get("direction") == "desc"
    size = whole(query, "per_page", default=LIST_MAX_KEYS, most=LIST_MAX_KEYS)
    rest = [
        one
        for one in sorted(found, key=_name, reverse=down)
        if one.name.rpartition("/")[0] == inside
        and query.get("name_contains", "") in _name(one)
        and (not after or (_name(one) < after if down else _name(one) > after))
    ]
    part = rest[:size]
    return part, _name(part[-1]) if len(rest) > size else ""


def _name(found: Bucket) -> str:
    return found.name.rpartition("/")[2]


def usage(found: Usage) -> Mapping[str, object]:
    """Return how much a bucket holds."""
    return {
        "objectCount": str(found.objects),
        "payloadSize": str(found.payload_bytes),
        "metadataSize": str(found.metadata_bytes),
        "uploadCount": "0",
    }


def dataset(found: Usage, now: str) -> Sequence[Mapping[str, object]]:
    """Return the same as GraphQL's `r2StorageAdaptiveGroups`."""
    most = {
        "objectCount": found.objects,
        "payloadSize": found.payload_bytes,
        "metadataSize": found.metadata_bytes,
    }
    return [{"max": most, "dimensions": {"datetime": now}}]


def stored(made: Object) -> Mapping[str, str]:
    """Return what is told of an object that was just written."""
    return {
        "key": made.key,
        "etag": made.etag,
        "size": str(made.size),
        "uploaded": time(made.uploaded),
        "version": made.version,
        "storage_class": made.storage_class,
    }


def listed(found: Object) -> Mapping[str, object]:
    """Return what a list tells of an object."""
    http = msgspec.to_builtins(found.http)
    if found.http.cache_expiry is not None:
        http["cacheExpiry"] = time(found.http.cache_expiry)
    return {
        "key": found.key,
        "etag": found.etag,
        "last_modified": time(found.uploaded),
        "size": found.size,
        "http_metadata": http,
        "custom_metadata": found.custom,
        "storage_class": found.storage_class,
        "ssec": False,
    }


def list_query(query: Mapping[str, str]) -> ListQuery:
    """Return which objects are asked for.

    Raises:
        ApiError: `per_page` is not a number in its range.
    """
    return ListQuery(
        limit=whole(query, "per_page", default=_LISTED, most=LIST_MAX_KEYS),
        prefix=query.get("prefix", ""),
        delimiter=query.get("delimiter", ""),
        cursor=query.get("cursor") or None,
        start_after=query.get("start_after", ""),
    )


def list_info(page: Page, size: int) -> Mapping[str, Any]:
    """Return what is told beside a list of objects."""
    info: dict[str, Any] = {
        "cursor": page.cursor or "",
        "is_truncated": page.cursor is not None,
        "per_page": size,
        "count": len(page.objects),
    }
    if page.prefixes:
        info["delimited"] = page.prefixes
    return info


def time(ms: int) -> str:
    """Return a time as Cloudflare writes it; the farthest one that has a name."""
    try:
        moment = datetime.fromtimestamp(ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        moment = datetime.max.replace(tzinfo=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
