"""The control API's bodies → typed requests, and results → what JSON can hold."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from selfedge.bindings.vectorize import limits
from selfedge.bindings.vectorize.engine.contract import FieldType, Metric
from selfedge.bindings.vectorize.errors import (
    IndexRefused,
    MetadataIndexRefused,
    UnreadableRequest,
)
from selfedge.bindings.vectorize.index.model import (
    Config,
    Described,
    Listing,
    MetadataIndex,
)

T = TypeVar("T")

_LIST_DEFAULT = 100
_VECTORS_KEY = re.compile(rb'\s*\{\s*"vectors"\s*:')


class _Config(msgspec.Struct):
    dimensions: int | None = None
    metric: str | None = None
    preset: str | None = None


class _Index(msgspec.Struct):
    name: str
    config: _Config
    description: str | None = None


class _NewField(msgspec.Struct, rename="camel"):
    property_name: str
    index_type: str


class _Field(msgspec.Struct, rename="camel"):
    property_name: str


def is_object(body: bytes) -> bool:
    """Whether `body` is `{"vectors": […]}`; clients call lines JSON, too."""
    return _VECTORS_KEY.match(body) is not None


def new_index(body: bytes) -> tuple[str, Config]:
    """Read the body of create.

    Raises:
        UnreadableRequest, IndexRefused: it is malformed or over a limit.
    """
    asked = _decoded(msgspec.json.Decoder(_Index).decode, body)
    size = len(asked.name.encode())
    if not 1 <= size <= limits.INDEX_NAME_MAX_BYTES:
        raise IndexRefused(
            f"an index name has 1 to {limits.INDEX_NAME_MAX_BYTES} bytes, got {size}"
        )
    dimensions, metric = _size(asked.config)
    if not 1 <= dimensions <= limits.DIMENSIONS_MAX:
        raise IndexRefused(
            f"config.dimensions must be 1 to {limits.DIMENSIONS_MAX}, got {dimensions}"
        )
    try:
        known = Metric(metric)
    except ValueError:
        names = ", ".join(one.value for one in Metric)
        raise IndexRefused(
            f"config.metric must be one of {names}, got {metric!r}"
        ) from None
    description = asked.description or ""
    return asked.name, Config(
        dimensions=dimensions, metric=known, description=description
    )


def new_field(body: bytes) -> tuple[str, FieldType]:
    """Read the body of metadata_index/create.

    Raises:
        UnreadableRequest, MetadataIndexRefused: it is malformed or over a limit.
    """
    asked = _decoded(msgspec.json.Decoder(_NewField).decode, body)
    kinds: Mapping[str, FieldType] = {
        "string": "string",
        "number": "number",
        "boolean": "boolean",
    }
    kind = kinds.get(asked.index_type.lower())
    if kind is None:
        raise MetadataIndexRefused(
            f"indexType must be one of {', '.join(kinds)}, got {asked.index_type!r}"
        )
    path = asked.property_name
    bad = path.startswith("$") or '"' in path or not all(path.split("."))
    if bad or len(path) > limits.FILTER_KEY_MAX_CHARS:
        raise MetadataIndexRefused(
            f"propertyName has 1 to {limits.FILTER_KEY_MAX_CHARS} characters, does not"
            ' start with $, and holds neither a double quote (") nor an empty part'
        )
    return path, kind


def field(body: bytes) -> str:
    """Read the body of metadata_index/delete.

    Raises:
        UnreadableRequest: it is malformed.
    """
    return _decoded(msgspec.json.Decoder(_Field).decode, body).property_name


def page(
    query: Mapping[str, str],
    *,
    default: int = _LIST_DEFAULT,
    most: int = limits.LIST_MAX,
) -> tuple[str | None, int]:
    """Read cursor and count of list.

    Raises:
        UnreadableRequest: they are not what they should be.
    """
    count = _number(query, "count", default)
    if not 1 <= count <= most:
        raise UnreadableRequest(f"count must be 1 to {most}, got {count}")
    cursor = query.get("cursor") or None
    try:
        return (str(UUID(cursor)) if cursor else None), count
    except ValueError:
        raise UnreadableRequest(
            "cursor must be the nextCursor of an earlier answer"
        ) from None


def sliced(items: Sequence[Any], query: Mapping[str, str]) -> Sequence[Any]:
    """Return the page that `query` asks for; [] past the end.

    Raises:
        UnreadableRequest: page or per_page is no number.
    """
    if query.get("cursor"):
        return []
    size = max(1, _number(query, "per_page", len(items) or 1))
    start = (max(1, _number(query, "page", 1)) - 1) * size
    return items[start : start + size]


def described(index: Described) -> Mapping[str, Any]:
    """Write an index."""
    config = {
        "dimensions": index.config.dimensions,
        "metric": index.config.metric.value,
    }
    return {
        "name": index.name,
        "description": index.config.description,
        "config": config,
        "created_on": index.created,
        "modified_on": index.modified,
    }


def listed(listing: Listing, expires: float) -> Mapping[str, Any]:
    """Write a page of ids; `expires` is when the cursor does."""
    more = listing.following is not None
    when = datetime.fromtimestamp(expires, UTC).isoformat(timespec="seconds")
    return {
        "count": len(listing.ids),
        "totalCount": listing.total,
        "isTruncated": more,
        "nextCursor": listing.following,
        "cursorExpirationTimestamp": when.replace("+00:00", "Z") if more else None,
        "vectors": [{"id": vector_id} for vector_id in listing.ids],
    }


def fields(indexes: Sequence[MetadataIndex]) -> Mapping[str, Any]:
    """Write the metadata indexes."""
    return {
        "metadataIndexes": [
            {"propertyName": index.property_name, "indexType": index.index_type}
            for index in indexes
        ]
    }


def _size(config: _Config) -> tuple[int, str]:
    if config.preset is not None:
        if config.preset not in limits.PRESETS:
            names = ", ".join(limits.PRESETS)
            raise IndexRefused(
                f"config.preset must be one of {names}, got {config.preset!r}"
            )
        return limits.PRESETS[config.preset]
    if config.dimensions is None or config.metric is None:
        raise IndexRefused("config needs dimensions and metric, or preset")
    return config.dimensions, config.metric


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdecimal():
        raise UnreadableRequest(f"{name} must be a whole number, got {text!r}")
    return int(text[:18])


def _decoded(read: Callable[[bytes], T], body: bytes) -> T:
    try:
        return read(body)
    except UnicodeDecodeError:
        raise UnreadableRequest("it is not valid UTF-8") from None
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UnreadableRequest(str(error)) from None
