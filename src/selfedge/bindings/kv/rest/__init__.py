"""The control API's bodies → typed requests, and results → what JSON can hold; pure."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from selfedge.bindings.kv import errors, limits, rules
from selfedge.bindings.kv.model import ListedKey, PutOptions
from selfedge.bindings.kv.namespaces import Namespace

T = TypeVar("T")

_ORDERS = frozenset({"id", "title"})
_DIRECTIONS = frozenset({"asc", "desc"})


class _Titled(msgspec.Struct):
    title: str


class _Pair(msgspec.Struct):
    key: str
    value: str
    base64: bool = False
    expiration: int | None = None
    expiration_ttl: int | None = None
    metadata: msgspec.Raw = msgspec.Raw(b"null")


class Write(msgspec.Struct, frozen=True):
    """One pair of a bulk write."""

    key: str
    value: bytes
    options: PutOptions


def title(body: bytes) -> str:
    """Return the title that a body gives.

    Raises:
        InvalidRequest, InvalidTitle: it is not JSON, or has none.
    """
    try:
        return _decoded(body, _Titled).title
    except errors.InvalidRequest as error:
        raise errors.InvalidTitle from error


def writes(body: bytes, now: int) -> Sequence[Write]:
    """Return what a bulk write says, each key once: its last value counts.

    Raises:
        KVError: it is not JSON, or one of its pairs cannot be stored.
    """
    pairs = _decoded(body, list[_Pair])
    _check_count(len(pairs))
    found: dict[str, Write] = {}
    for index, pair in enumerate(pairs):
        try:
            found[pair.key] = _write(pair, now)
        except errors.KVError as error:
            error.args = (f"{error} (pair {index} of the body)",)
            raise
    return list(found.values())


def keys(body: bytes) -> Sequence[str]:
    """Return the keys that a bulk delete names.

    Raises:
        KVError: it is not JSON, or one cannot be a key.
    """
    given = _decoded(body, list[str])
    _check_count(len(given))
    for key in given:
        rules.key_bytes(key)
    return list(dict.fromkeys(given))


def shown(namespace: Namespace) -> Mapping[str, object]:
    """Return a namespace as clients see it."""
    return {
        "id": namespace.id,
        "title": namespace.title,
        "supports_url_encoding": True,
    }


def sorted_namespaces(
    namespaces: Sequence[Namespace], query: Mapping[str, str]
) -> Sequence[Namespace]:
    """Return them in the order that a query asks for.

    Raises:
        InvalidOrder: there is no such order.
    """
    order = query.get("order") or "id"
    direction = query.get("direction") or "asc"
    if order not in _ORDERS or direction not in _DIRECTIONS:
        raise errors.InvalidOrder
    return sorted(
        namespaces,
        key=lambda one: (getattr(one, order), one.id),
        reverse=direction == "desc",
    )


def list_limit(query: Mapping[str, str]) -> int:
    """Return how many keys a list may have.

    Raises:
        InvalidLimit: it is no whole number.
    """
    text = query.get("limit", "")
    if not text:
        return limits.LIST_MAX_KEYS
    if not (text.isascii() and text.isdigit()):
        raise errors.InvalidLimit(
            text[:40], "Please specify an integer greater than 0."
        )
    return int(text[:10])


def shown_key(key: ListedKey) -> Mapping[str, object]:
    """Return a key as a list shows it."""
    found: dict[str, object] = {"name": key.name}
    if key.expiration is not None:
        found["expiration"] = key.expiration
    if key.metadata is not None:
        found["metadata"] = msgspec.Raw(key.metadata.encode())
    return found


def bulk_result(count: int) -> Mapping[str, object]:
    """Return what a bulk write or delete of `count` keys answers."""
    return {"successful_key_count": count, "unsuccessful_keys": []}


def metadata_text(text: str) -> str | None:
    """Return metadata as it is stored: JSON on one line; null is none.

    Raises:
        InvalidMetadata: it is no JSON.
    """
    try:
        msgspec.json.decode(text)
        line = msgspec.json.format(text.encode(), indent=-1).decode()
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise errors.InvalidMetadata from error
    return None if line == "null" else line


def _write(pair: _Pair, now: int) -> Write:
    rules.key_bytes(pair.key)
    value = _value(pair)
    rules.check_size(len(value))
    options = PutOptions(
        metadata=metadata_text(bytes(pair.metadata).decode()),
        expiration=pair.expiration,
        expiration_ttl=pair.expiration_ttl,
    )
    rules.check_metadata(options.metadata)
    rules.expiration(options, now)
    return Write(pair.key, value, options)


def _value(pair: _Pair) -> bytes:
    if not pair.base64:
        return pair.value.encode()
    try:
        return base64.b64decode(pair.value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise errors.InvalidRequest(
            f"The value of {pair.key[:100]!r} is not base64."
        ) from error


def _check_count(count: int) -> None:
    if count > limits.HTTP_BULK_MAX_KEYS:
        raise errors.InvalidBulk(
            f"A bulk call has at most {limits.HTTP_BULK_MAX_KEYS} keys, not {count}."
        )


def _decoded(body: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise errors.InvalidRequest(f"The request body is wrong: {error}.") from error
