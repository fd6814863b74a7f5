"""Edits of Workers in the catalog, pure: each returns a new state, or raises."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from msgspec.structs import replace

from selfedge.catalog.model import Account, ScriptState, State, WorkersDev
from selfedge.errors import ApiError

NO_ACCOUNT = 7003
NO_SCRIPT = 10007
VERSIONS_KEPT = 100  # Cloudflare's: the last hundred can be deployed again

Edit: TypeAlias = Callable[[State], State]
ScriptEdit: TypeAlias = Callable[[ScriptState], ScriptState]


def account_of(state: State, account: str) -> Account:
    """Return an account.

    Raises:
        ApiError: there is none (404).
    """
    if account not in state.accounts:
        raise ApiError(
            f"This node has no account {account[:80]}.", status=404, number=NO_ACCOUNT
        )
    return state.accounts[account]


def find_script(state: State, account: str, name: str) -> ScriptState | None:
    """Return a Worker, or None."""
    known = state.accounts.get(account)
    return known.scripts.get(name) if known else None


def script_of(state: State, account: str, name: str) -> ScriptState:
    """Return a Worker.

    Raises:
        ApiError: there is none (404, 10007, which clients know).
    """
    found = account_of(state, account).scripts.get(name)
    if found is None:
        raise ApiError(
            f"This Worker does not exist on your account: {name[:80]}.",
            status=404,
            number=NO_SCRIPT,
        )
    return found


def with_account(state: State, account: Account) -> State:
    """Put an account in, in place of the one with its id."""
    return replace(state, accounts={**state.accounts, account.id: account})


def with_scripts(
    state: State, account: str, scripts: Mapping[str, ScriptState]
) -> State:
    """Give an account these Workers, and no others.

    Raises:
        ApiError: there is no such account.
    """
    return with_account(state, replace(account_of(state, account), scripts=scripts))


def with_script(state: State, account: str, script: ScriptState) -> State:
    """Put a Worker in, in place of the one with its name.

    Raises:
        ApiError: there is no such account.
    """
    scripts = account_of(state, account).scripts
    return with_scripts(state, account, {**scripts, script.name: script})


def edit_script(account: str, name: str, now: str, edit: ScriptEdit) -> Edit:
    """Return the edit that changes one Worker and its `modified_on`.

    It raises what `edit` raises, and ApiError if the Worker is gone.
    """

    def whole(state: State) -> State:
        old = script_of(state, account, name)
        new = edit(old)
        if new == old:
            return state
        return with_script(state, account, replace(new, modified_on=now))

    return whole


def without_script(state: State, account: str, name: str) -> State:
    """Remove a Worker, with its routes, domains and schedules.

    Raises:
        ApiError: there is none.
    """
    script_of(state, account, name)
    scripts = account_of(state, account).scripts
    left = {key: script for key, script in scripts.items() if key != name}
    return with_scripts(state, account, left)


def with_version(script: ScriptState, version_id: str) -> ScriptState:
    """Add the newest version; the oldest that no deployment names may go."""
    versions = [*script.versions, version_id]
    deployed = {
        share.version_id for one in script.deployments for share in one.versions
    }
    kept = set(versions[-VERSIONS_KEPT:]) | deployed
    return replace(script, versions=tuple(one for one in versions if one in kept))


def with_workers_dev(script: ScriptState, setting: WorkersDev) -> ScriptState:
    """Say whether the Worker has a name of its own below the workers domain."""
    return replace(script, workers_dev=setting)
