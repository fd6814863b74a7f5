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
    chosen = subdomain if subdomain is not None else _made_of(name)
    account = Account(id=random(16).hex(), name=name, subdomain=chosen, created_on=now)
    _check(account)
    return account


def opened(state: State, account: Account) -> State:
    """Add an account.

    Raises:
        ApiError: name or subdomain is another's, or there are too many.
    """
    if len(state.accounts) >= ACCOUNTS_MAX:
        raise _bad(f"a node has at most {ACCOUNTS_MAX}.")
    return _put(state, account)


def changed(
    state: State,
    account_id: str,
    *,
    name: str | None = None,
    subdomain: str | None = None,
    private_outbound: bool | None = None,
) -> State:
    """Change what is given of an account that is there.

    Raises:
        ApiError: a name or subdomain is none, or another's.
    """
    given = {
        "name": name,
        "subdomain": subdomain,
        "private_outbound": private_outbound,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes:
        return state
    account = msgspec.structs.replace(state.accounts[account_id], **changes)
    _check(account)
    return _put(state, account)


def _put(state: State, account: Account) -> State:
    for one in state.accounts.values():
        same = account.name == one.name or account.subdomain == one.subdomain
        if same and one.id != account.id:
            raise ApiError(
                f"Account {one.name} has this name or the subdomain {one.subdomain}. "
                "Choose others.",
                status=409,
                number=TAKEN,
            )
    accounts = {**state.accounts, account.id: account}
    return msgspec.structs.replace(state, accounts=accounts)


def _check(account: Account) -> None:
    name, subdomain = account.name, account.subdomain
    if not name.strip() or len(name) > NAME_MAX_CHARS or not name.isprintable():
        raise _bad(f"name must have 1 to {NAME_MAX_CHARS} printable characters.")
    if not _SUBDOMAIN.fullmatch(subdomain):
        raise _bad(
            "subdomain must be a label of a host name (lowercase letters, digits, "
            f"dashes between them), not {subdomain[:70]!r}."
        )


def _made_of(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].strip("-")


def _bad(message: str) -> ApiError:
    return ApiError(
        f"The account is refused: {message}", status=400, number=BAD_ACCOUNT
    )
