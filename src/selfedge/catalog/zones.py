"""Zones of the catalog, and what stands behind their Workers: pure edits."""

import re
from urllib.parse import urlsplit

import msgspec

from selfedge.catalog.model import Account, ScriptState, State, Zone
from selfedge.errors import ApiError

ZONES_MAX = 1000
NAME_MAX_CHARS = 253
BAD_ZONE = 1002
NO_ZONE = 1001
TAKEN = 1061  # "already exists"
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")


def zone_name(text: str) -> str:
    """Return a domain's name as zones have it: lowercase, ASCII.

    Raises:
        ApiError: it is no domain's name.
    """
    name = text.strip().rstrip(".").lower()
    try:
        name = name.encode("idna").decode()
    except UnicodeError:
        name = ""
    if not _NAME.fullmatch(name) or len(name) > NAME_MAX_CHARS:
        raise _bad(f"{text[:80]!r} is not the name of a domain like example.com.")
    return name


def origin_url(text: str | None) -> str | None:
    """Return where requests go that no Worker answers; None for "".

    Raises:
        ApiError: it is no http(s) URL without a path.
    """
    if not text:
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _bad_origin(text) from None
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or extra
        or port == 0
        or not text.isprintable()
        or " " in text
    ):
        raise _bad_origin(text)
    return text.rstrip("/")


def added(state: State, account_id: str, zone: Zone) -> State:
    """Add a zone to an account; its name is checked already.

    Raises:
        ApiError: there is no such account, the name is taken, or it lies within
            another account's zone.
    """
    account = state.accounts.get(account_id)
    if account is None:
        raise _bad(f"there is no account {account_id[:40]!r}.")
    for other in state.accounts.values():
        for known in other.zones.values():
            _check_apart(zone.name, known, mine=other.id == account_id)
    if len(account.zones) >= ZONES_MAX:
        raise _bad(f"an account has at most {ZONES_MAX}.")
    return _with(state, account, zone)


def changed(state: State, zone_id: str, origin: str | None) -> State:
    """Give a zone another origin.

    Raises:
        ApiError: there is no such zone.
    """
    account, zone = found(state, zone_id)
    return _with(state, account, msgspec.structs.replace(zone, origin=origin))


def removed(state: State, zone_id: str) -> State:
    """Remove a zone, with its routes and the custom domains in it.

    Raises:
        ApiError: there is no such zone.
    """
    account, _ = found(state, zone_id)
    zones = {id_: zone for id_, zone in account.zones.items() if id_ != zone_id}
    scripts = {name: _without(one, zone_id) for name, one in account.scripts.items()}
    account = msgspec.structs.replace(account, zones=zones, scripts=scripts)
    return _put(state, account)


def found(state: State, zone_id: str) -> tuple[Account, Zone]:
    """Return a zone and whose it is.

    Raises:
        ApiError: there is no such zone (404).
    """
    for account in state.accounts.values():
        if zone_id in account.zones:
            return account, account.zones[zone_id]
    raise ApiError(f"There is no zone {zone_id[:40]!r}.", status=404, number=NO_ZONE)


def _check_apart(name: str, known: Zone, *, mine: bool) -> None:
    if name == known.name:
        raise ApiError(f"{name} already exists.", status=400, number=TAKEN)
    nested = name.endswith(f".{known.name}") or known.name.endswith(f".{name}")
    if nested and not mine:
        raise ApiError(
            f"{name} overlaps with a zone of another account.", status=400, number=TAKEN
        )


def _without(script: ScriptState, zone_id: str) -> ScriptState:
    routes = tuple(one for one in script.routes if one.zone_id != zone_id)
    domains = tuple(one for one in script.domains if one.zone_id != zone_id)
    if (routes, domains) == (script.routes, script.domains):
        return script
    return msgspec.structs.replace(script, routes=routes, domains=domains)


def _with(state: State, account: Account, zone: Zone) -> State:
    zones = {**account.zones, zone.id: zone}
    return _put(state, msgspec.structs.replace(account, zones=zones))


def _put(state: State, account: Account) -> State:
    accounts = {**state.accounts, account.id: account}
    return msgspec.structs.replace(state, accounts=accounts)


def _bad(message: str) -> ApiError:
    return ApiError(f"The zone is refused: {message}", status=400, number=BAD_ZONE)


def _bad_origin(text: str) -> ApiError:
    return _bad(
        "origin must be a URL like http://10.0.0.7:3000, without path or name, "
        f"not {text[:80]!r}."
    )
