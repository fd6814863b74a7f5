"""Signed tokens that name an upload of static files: JWTs (HS256), pure."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Any

import msgspec

_HEADER = {"alg": "HS256", "typ": "JWT"}


def issue(claims: Mapping[str, Any], key: bytes) -> str:
    """Return a token that only the holder of `key` can have made."""
    text = f"{_coded(_HEADER)}.{_coded(claims)}"
    return f"{text}.{_base64(_signature(text, key))}"


def verified(token: str, key: bytes, now_s: float) -> Mapping[str, Any] | None:
    """Return the claims of a token that is ours and has not expired, or None."""
    text, _, signature = token.rpartition(".")
    expected = _base64(_signature(text, key))
    given = signature.encode("utf-8", "surrogateescape")
    if not hmac.compare_digest(given, expected.encode()):
        return None
    try:
        payload = text.partition(".")[2]
        raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        claims = msgspec.json.decode(raw, type=dict[str, Any])
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None
    return claims if claims.get("exp", 0) > now_s else None


def _coded(value: Mapping[str, Any]) -> str:
    return _base64(msgspec.json.encode(value))


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _signature(text: str, key: bytes) -> bytes:
    return hmac.digest(key, text.encode("utf-8", "surrogateescape"), "sha256")
