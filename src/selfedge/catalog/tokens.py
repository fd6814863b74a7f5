"""Tokens of the catalog: pure edits."""

import string
from collections.abc import Callable
from hashlib import sha256
from typing import TypeAlias

import msgspec

from selfedge.catalog.model import ADMIN, DEPLOY, READ, State, Token
from selfedge.errors import ApiError

Random: TypeAlias = Callable[[int], bytes]
"""That many bytes that nobody can guess."""

PREFIX = "se_"
TOKENS_MAX = 1000
NAME_MAX_CHARS = 120
SCOPES = (ADMIN, DEPLOY, READ)
BAD_TOKEN = 1001
NO_TOKEN = 1003
_ALPHABET = string.digits + string.ascii_letters
_CHARS = 40


def new_token(
    name: str, scope: str, account: str | None, *, now: str, random: Random
) -> tuple[Token, str]:
    """Return a token for the catalog, and the text that its holder shows.

    Raises:
        ApiError: name or scope is none.
    """
    if not name.strip() or len(name) > NAME_MAX_CHARS or not name.isprintable():
        raise _bad(f"name must have 1 to {NAME_MAX_CHARS} printable characters.")
    if scope not in SCOPES:
        raise _bad(f"scope must be one of {', '.join(SCOPES)}, not {scope[:40]!r}.")
    text = PREFIX + _base62(random(_CHARS))
    token = Token(
        id=random(16).hex(),
        name=name,
        hash=sha256(text.encode()).hexdigest(),
        scope=scope,
        account=account,
        created_on=now,
    )
    return token, text


def issued(state: State, token: Token) -> State:
    """Add a token.

    Raises:
        ApiError: its account is not there, or there are too many.
    """
    if token.account is not None and token.account not in state.accounts:
        raise _bad(f"there is no account {token.account[:40]!r}.")
    if len(state.tokens) >= TOKENS_MAX:
        raise _bad(f"a node has at most {TOKENS_MAX} tokens. Revoke one first.")
    tokens = {**state.tokens, token.id: token}
    return msgspec.structs.replace(state, tokens=tokens)


def revoked(state: State, token_id: str) -> State:
    """Remove a token.

    Raises:
        ApiError: it is not there, or nobody could make another after it.
    """
    if token_id not in state.tokens:
        raise absent(token_id)
    left = {id_: one for id_, one in state.tokens.items() if id_ != token_id}
    if not any(one.scope == ADMIN and one.account is None for one in left.values()):
        raise ApiError(
            "This is the last admin token of all accounts. Create another first.",
            status=409,
            number=BAD_TOKEN,
        )
    return msgspec.structs.replace(state, tokens=left)


def absent(token_id: str) -> ApiError:
    """Return what is said of a token that there is not."""
    return ApiError(
        f"There is no token {token_id[:40]!r}.", status=404, number=NO_TOKEN
    )


def _base62(raw: bytes) -> str:
    number, text = int.from_bytes(raw), ""
    for _ in range(_CHARS):
        number, digit = divmod(number, len(_ALPHABET))
        text += _ALPHABET[digit]
    return text


def _bad(message: str) -> ApiError:
    return ApiError(f"The token is refused: {message}", status=400, number=BAD_TOKEN)
