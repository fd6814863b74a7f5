"""Hostnames that are a Worker's alone: edits, pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from selfedge.catalog.model import Account, Domain, ScriptState, State
from selfedge.catalog.routes import WantedRoute, parsed, zone_for
from selfedge.catalog.scripts import account_of, script_of, with_script
from selfedge.errors import ApiError

TAKEN = 100116  # another Worker has the hostname
BAD_HOSTNAME = 100117
NO_DOMAIN = 100114


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedDomain:
    """A hostname, and the zone that the caller names for it, if any."""

    hostname: str
    zone_id: str | None = None
    zone_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changeset:
    """What it takes to give a Worker some hostnames and no others."""

    added: Sequence[Domain]
    removed: Sequence[Domain]
    updated: Sequence[Domain]  # another Worker's until now
    kept: Sequence[Domain]


def all_domains(state: State) -> Iterator[tuple[Account, ScriptState, Domain]]:
    """Yield every custom domain of the node."""
    for account in state.accounts.values():
        for script in account.scripts.values():
            for domain in script.domains:
                yield account, script, domain


def changeset(
    state: State,
    account: str,
    script: str,
    wanted: Sequence[WantedDomain],
    new_id: Callable[[], str],
) -> Changeset:
    """Return what `put_domains` would change.

    Raises:
        ApiError: a hostname is wrong, in no zone of the account, or of another
            account's Worker.
    """
    mine = {domain.hostname: domain for domain in _of(state, account, script)}
    added, updated, kept = [], [], []
    for hostname, zone_id in _resolved(state, account, wanted).items():
        holder = _holder(state, hostname)
        if hostname in mine:
            kept.append(mine[hostname])
        elif holder is None:
            added.append(Domain(id=new_id(), hostname=hostname, zone_id=zone_id))
        elif holder[0].id != account:
            raise _taken(hostname, "another account")
        else:
            updated.append(holder[2])
    names = {domain.hostname for domain in kept}
    removed = [domain for name, domain in mine.items() if name not in names]
    return Changeset(added=added, removed=removed, updated=updated, kept=kept)


def put_domains(
    state: State,
    account: str,
    script: str,
    changes: Changeset,
    *,
    take_over: bool,
) -> State:
    """Give a Worker the hostnames of a changeset.

    Raises:
        ApiError: one is another Worker's and `take_over` is not set (409).
    """
    for domain in changes.updated:
        if not take_over:
            raise _taken(domain.hostname, "another Worker")
        state = remove_domain(state, account, domain.id)
    domains = (*changes.kept, *changes.updated, *changes.added)
    found = script_of(state, account, script)
    return with_script(state, account, replace(found, domains=domains))


def remove_domain(state: State, account: str, domain_id: str) -> State:
    """Take a hostname from the Worker that has it.

    Raises:
        ApiError: the account has no such domain (404).
    """
    for script in account_of(state, account).scripts.values():
        left = tuple(one for one in script.domains if one.id != domain_id)
        if len(left) < len(script.domains):
            return with_script(state, account, replace(script, domains=left))
    raise ApiError(
        f"The account has no custom domain {domain_id[:80]}.",
        status=404,
        number=NO_DOMAIN,
    )


def _resolved(
    state: State, account: str, wanted: Sequence[WantedDomain]
) -> dict[str, str]:
    """Return hostname → zone id."""
    found: dict[str, str] = {}
    for one in wanted:
        hostname = one.hostname.lower()
        if "*" in hostname or "/" in hostname or parsed(hostname).host != hostname:
            raise ApiError(
                f"{one.hostname[:200]!r} is not a hostname. A custom domain has no "
                "wildcard and no path: use a route for those.",
                status=400,
                number=BAD_HOSTNAME,
            )
        route = WantedRoute(
            pattern=hostname, zone_id=one.zone_id, zone_name=one.zone_name
        )
        found[hostname] = zone_for(account_of(state, account), route).id
    return found


def _of(state: State, account: str, script: str) -> Sequence[Domain]:
    return script_of(state, account, script).domains


def _holder(state: State, hostname: str) -> tuple[Account, ScriptState, Domain] | None:
    for account, script, domain in all_domains(state):
        if domain.hostname == hostname:
            return account, script, domain
    return None


def _taken(hostname: str, by: str) -> ApiError:
    return ApiError(
        f"The hostname {hostname} is the custom domain of {by}.",
        status=409,
        number=TAKEN,
    )
