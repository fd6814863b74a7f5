"""What KV accepts: each rule returns what it made of its argument, or raises."""

import base64
import binascii

import msgspec

from selfedge.bindings.kv import errors, limits
from selfedge.bindings.kv.model import PutOptions


def key_bytes(key: str) -> bytes:
    """Return `key` as it is stored.

    Raises:
        InvalidKey: it is empty, "." or "..".
        KeyTooLong: it is over 512 bytes.
    """
    if not key:
        raise errors.InvalidKey("Key names must not be empty")
    if key in (".", ".."):
        raise errors.InvalidKey(
            f'Illegal key name "{key}". Please use a different name.'
        )
    return prefix_bytes(key)


def prefix_bytes(prefix: str) -> bytes:
    """Return the prefix of a list as it is stored.

    Raises:
        KeyTooLong: it is over 512 bytes.
    """
    raw = prefix.encode()
    if len(raw) > limits.KEY_MAX_BYTES:
        raise errors.KeyTooLong(len(raw))
    return raw


def check_cache_ttl(cache_ttl: int | None) -> None:
    """Raise InvalidCacheTtl when `cache_ttl` is under half a minute."""
    if cache_ttl is not None and cache_ttl < limits.CACHE_TTL_MIN_S:
        raise errors.InvalidCacheTtl(cache_ttl)


def check_size(size_bytes: int) -> None:
    """Raise ValueTooLarge when a value has more than 25 MiB."""
    if size_bytes > limits.VALUE_MAX_BYTES:
        raise errors.ValueTooLarge(size_bytes)


def check_limit(limit: int) -> None:
    """Raise InvalidLimit unless a list may have `limit` keys."""
    if limit < 1:
        raise errors.InvalidLimit(limit, "Please specify an integer greater than 0.")
    if limit > limits.LIST_MAX_KEYS:
        raise errors.InvalidLimit(
            limit, f"Please specify an integer less than {limits.LIST_MAX_KEYS}."
        )


def check_bulk(count: int) -> None:
    """Raise InvalidBulk unless a bulk get may ask for `count` keys."""
    if count > limits.BULK_MAX_KEYS:
        raise errors.InvalidBulk(
            f"You can request a maximum of {limits.BULK_MAX_KEYS} keys"
        )
    if count < 1:
        raise errors.InvalidBulk("You must request a minimum of 1 key")


def check_metadata(metadata: str | None) -> None:
    """Raise when `metadata` is not JSON, or too much of it.

    Raises:
        InvalidMetadata: it is not JSON.
        MetadataTooLarge: it is over 1024 bytes.
    """
    if metadata is None:
        return
    size_bytes = len(metadata.encode())
    if size_bytes > limits.METADATA_MAX_BYTES:
        raise errors.MetadataTooLarge(size_bytes)
    try:
        msgspec.json.decode(metadata)
    except (msgspec.DecodeError, RecursionError) as error:
        raise errors.InvalidMetadata from error


def expiration(options: PutOptions, now: int) -> int | None:
    """Return when a value expires, in seconds since the epoch.

    Raises:
        InvalidTtl: the time to live is under a minute.
        InvalidExpiration: the time is less than a minute ahead.
    """
    if options.expiration_ttl is not None:
        return now + _ttl(options.expiration_ttl)
    if options.expiration is None:
        return None
    return _time(options.expiration, now)


def _ttl(ttl: int) -> int:
    if ttl <= 0:
        raise errors.InvalidTtl(ttl, errors.InvalidTtl.WHOLE)
    if ttl < limits.TTL_MIN_S:
        raise errors.InvalidTtl(
            ttl, f"Expiration TTL must be at least {limits.TTL_MIN_S}."
        )
    if ttl > limits.TIME_MAX_S:
        raise errors.InvalidTtl(ttl, errors.InvalidTtl.WHOLE)
    return ttl


def _time(time: int, now: int) -> int:
    if time <= now or time > limits.TIME_MAX_S:
        raise errors.InvalidExpiration(time, errors.InvalidExpiration.WHOLE)
    if time < now + limits.TTL_MIN_S:
        raise errors.InvalidExpiration(
            time,
            f"Expiration times must be at least {limits.TTL_MIN_S} seconds in the "
            "future.",
        )
    return time


def cursor(key: str) -> str:
    """Return the cursor of a list that ended with `key`."""
    return base64.urlsafe_b64encode(key.encode()).decode()


def cursor_key(given: str) -> bytes:
    """Return the key, as it is stored, after which a list goes on.

    Raises:
        InvalidCursor: no list returned it.
    """
    try:
        raw = base64.b64decode(given, altchars=b"-_", validate=True)
        raw.decode()
    except (binascii.Error, ValueError) as error:
        raise errors.InvalidCursor from error
    if len(raw) > limits.KEY_MAX_BYTES:
        raise errors.InvalidCursor
    return raw
