"""The HTTP of workerd's KV client ↔ typed requests and JSON; pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote_to_bytes

import msgspec

from selfedge.bindings.kv import errors, limits
from selfedge.bindings.kv.model import Page, PutOptions

METADATA_HEADER = "CF-KV-Metadata"

_PLAIN_QUERY = "urlencoded=true"
_MAX_FIELDS = 32
_REASON_MAX_CHARS = 800
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NOT_IN_REASON = re.compile(r"[\x00-\x1f\x7f]")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Get:
    """Read one key."""

    key: str
    cache_ttl: int | None


@dataclass(frozen=True, slots=True)
class Put:
    """Write one key; the body is the value."""

    key: str
    options: PutOptions


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove one key."""

    key: str


@dataclass(frozen=True, slots=True)
class List:
    """List keys."""

    prefix: str
    limit: int
    cursor: str | None


@dataclass(frozen=True, slots=True)
class BulkGet:
    """Read several keys; the body says which."""


Request: TypeAlias = Get | Put | Delete | List | BulkGet


class BulkBody(msgspec.Struct, frozen=True, rename="camel"):
    """The body of a bulk get."""

    keys: list[str] = []
    type: str = "text"
    with_metadata: bool = False
    cache_ttl: str | int | None = None


Found: TypeAlias = Mapping[str, tuple[bytes, str | None] | None]
"""What a bulk get found: value and metadata of each key."""


def request(method: str, target: str, metadata: str | None) -> Request:
    """Return what a request with this request line and metadata header asks.

    Raises:
        KVError: it asks for nothing that KV knows.
    """
    if not target.startswith("/") or not _is_text(target):
        raise errors.InvalidKey("Invalid key encoding")
    path, _, query = target.partition("?")
    if method == "GET" and path != "/":
        if query == _PLAIN_QUERY:
            return Get(_key(path), None)
        return Get(_key(path), cache_ttl(_fields(query).get("cache_ttl")))
    if method == "GET":
        return _list(_fields(query))
    if method == "PUT":
        return Put(_key(path), put_options(_fields(query), metadata))
    if method == "DELETE":
        return Delete(_key(path))
    if method == "POST" and path == "/bulk/get":
        return BulkGet()
    raise errors.MethodNotAllowed


def bulk_body(body: bytes) -> BulkBody:
    """Return what the body of a bulk get asks.

    Raises:
        KVError: it is no JSON, or not of this shape.
    """
    try:
        asked = msgspec.json.decode(body, type=BulkBody)
    except (msgspec.DecodeError, RecursionError) as error:
        raise errors.InvalidRequest("Invalid JSON") from error
    if asked.type not in ("text", "json"):
        raise errors.InvalidBulk(
            f'"{asked.type}" is not a valid type. Use "json" or "text"'
        )
    return asked


def put_options(fields: Mapping[str, str], metadata: str | None) -> PutOptions:
    """Return what a query and the metadata say of a value.

    Raises:
        KVError: a time is no whole number, or the metadata is no text.
    """
    if metadata is not None and not _is_text(metadata):
        raise errors.InvalidMetadata
    ttl, time = fields.get("expiration_ttl"), fields.get("expiration")
    options = PutOptions(
        metadata=metadata,
        expiration=None if time is None else _integer(time),
        expiration_ttl=None if ttl is None else _integer(ttl),
    )
    if ttl is not None and options.expiration_ttl is None:
        raise errors.InvalidTtl(ttl, errors.InvalidTtl.WHOLE)
    if time is not None and options.expiration is None:
        raise errors.InvalidExpiration(time, errors.InvalidExpiration.WHOLE)
    return options


def cache_ttl(given: str | int | None) -> int | None:
    """Return a `cacheTtl` as a number of seconds.

    Raises:
        InvalidCacheTtl: it is none.
    """
    if given is None or isinstance(given, int):
        return given
    number = _integer(given)
    if number is None:
        raise errors.InvalidCacheTtl(given)
    return number


def list_json(page: Page) -> bytes:
    """Return the body of the answer to a list."""
    keys: list[dict[str, Any]] = []
    for key in page.keys:
        shown: dict[str, Any] = {"name": key.name}
        if key.expiration is not None:
            shown["expiration"] = key.expiration
        if key.metadata is not None:
            shown["metadata"] = key.metadata  # JSON in a string: workerd parses it
        keys.append(shown)
    body: dict[str, Any] = {"keys": keys, "list_complete": page.cursor is None}
    if page.cursor is not None:
        body["cursor"] = page.cursor
    return msgspec.json.encode(body)


def bulk_json(asked: BulkBody, found: Found) -> bytes:
    """Return the body of the answer to a bulk get.

    Raises:
        InvalidBulk: JSON was asked for, and a value is none.
    """
    shape = _json_value if asked.type == "json" else _text_value
    body: dict[str, Any] = {}
    for key, entry in found.items():
        if entry is None:
            body[key] = None
            continue
        value, metadata = entry
        body[key] = shape(value)
        if asked.with_metadata:
            shown = None if metadata is None else msgspec.Raw(metadata.encode())
            body[key] = {"value": body[key], "metadata": shown}
    return msgspec.json.encode(body)


def metadata_value(metadata: str) -> bytes:
    """Return `metadata` as the value of a header: raw UTF-8, on one line."""
    return metadata.replace("\r", " ").replace("\n", " ").encode()


def reason(message: str) -> str:
    """Return `message` as a reason phrase, which workerd shows to the Worker."""
    line = _NOT_IN_REASON.sub(" ", message)
    return line.encode(errors="replace").decode()[:_REASON_MAX_CHARS]


def _is_text(text: str) -> bool:
    """Tell whether the bytes of `text`, which aiohttp decoded, were UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _key(path: str) -> str:
    raw = path[1:]
    if "%" not in raw:
        return raw
    if _BAD_PERCENT.search(raw):
        raise errors.InvalidKey("Invalid key encoding")
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise errors.InvalidKey("Invalid key encoding") from error


def _fields(query: str) -> Mapping[str, str]:
    if query in ("", _PLAIN_QUERY):
        return {}
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS
        )
    except ValueError as error:
        raise errors.InvalidRequest("Invalid query string") from error
    return dict(reversed(pairs))  # the first of a name counts


def _list(fields: Mapping[str, str]) -> List:
    given = fields.get("key_count_limit")
    limit = limits.LIST_MAX_KEYS if given is None else _integer(given)
    if limit is None:
        raise errors.InvalidLimit(given, "Please specify an integer greater than 0.")
    return List(fields.get("prefix", ""), limit, fields.get("cursor") or None)


def _integer(text: str) -> int | None:
    return int(text) if _INTEGER.fullmatch(text) else None


def _text_value(value: bytes) -> str:
    return value.decode(errors="replace")


def _json_value(value: bytes) -> msgspec.Raw:
    try:
        msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError) as error:
        raise errors.InvalidBulk(
            "At least one of the requested keys corresponds to a non-json value"
        ) from error
    return msgspec.Raw(value)
