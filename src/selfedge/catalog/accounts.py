"""Accounts of the catalog: pure edits."""

import re

import msgspec

from selfedge.catalog.model import ADMIN, Account, State
from selfedge.catalog.times import iso
from selfedge.catalog.tokens import Random, issued, new_token
from selfedge.errors import ApiError
from selfedge.types import Clock

FIRST_NAME = "selfedge"
FIRST_SUBDOMAIN = "local"
ACCOUNTS_MAX = 100
NAME_MAX_CHARS = 100
BAD_ACCOUNT = 1001
TAKEN = 1002
_SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def first(state: State, clock: Clock, random: Random) -> tuple[State, str]:
    """Add a node's first account and an admin token; return that token's text."""
    now = iso(clock())
    account = Account(
        id=random(16).hex(), name=FIRST_NAME, subdomain=FIRST_SUBDOMAIN, created_on=now
    )
    token, text = new_token("first", ADMIN, None, now=now, random=random)
    return issued(opened(state, account), token), text


def new_account(
    name: str, subdomain: str | None, *, now: str, random: Random
) -> Account:
    """Return an account for the catalog; its subdomain is made of its name.

    Raises:
        ApiError: the name or subdomain is none.
    """
    if not name.strip() or len(name) > NAME_MAX_CHARS or not name.isprintable():
        raise _bad(f"name must have 1 to {NAME_MAX_CHARS} printable characters.")
    chosen = subdomain if subdomain is not None else _made_of(name)
    if not _SUBDOMAIN.fullmatch(chosen):
        raise _bad(
            "subdomain must be a label of a host name (lowercase letters, digits, "
            f"dashes between them), not {chosen[:70]!r}."
        )
    return Account(id=random(16).hex(), name=name, subdomain=chosen, created_on=now)


def opened(state: State, account: Account) -> State:
    """Add an account.

    Raises:
        ApiError: name or subdomain is another's, or there are too many.
    """
    for one in state.accounts.values():
        if account.name == one.name or account.subdomain == one.subdomain:
            raise ApiError(
                f"Account {one.name} has this name or the subdomain {one.subdomain}. "
                "Choose others.",
                status=409,
                number=TAKEN,
            )
    if len(state.accounts) >= ACCOUNTS_MAX:
        raise _bad(f"a node has at most {ACCOUNTS_MAX}.")
    accounts = {**state.accounts, account.id: account}
    return msgspec.structs.replace(state, accounts=accounts)


def _made_of(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].strip("-")


def _bad(message: str) -> ApiError:
    return ApiError(
        f"The account is refused: {message}", status=400, number=BAD_ACCOUNT
    )
