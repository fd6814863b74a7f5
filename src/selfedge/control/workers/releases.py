"""From a version to what clients reach: all of it, or as it was before."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from selfedge.binding import Call
from selfedge.catalog.deployments import deployed
from selfedge.catalog.model import Deployment, ScriptState, Share, State, Version
from selfedge.catalog.scripts import (
    Edit,
    ScriptEdit,
    account_of,
    edit_script,
    find_script,
    with_script,
    without_script,
)
from selfedge.control.workers.limits import SCRIPTS_MAX
from selfedge.control.workers.making import TRIGGER, source_of
from selfedge.control.workers.problem import INVALID, TOO_MANY_SCRIPTS, bad
from selfedge.control.workers.workers import Workers
from selfedge.errors import ApiError, NodeError, UserError


def fresh_script(workers: Workers, name: str) -> ScriptState:
    """Return a Worker without versions."""
    now = workers.now()
    return ScriptState(
        name=name,
        tag=workers.new_id().replace("-", ""),
        created_on=now,
        modified_on=now,
    )


def deployment_of(
    workers: Workers,
    call: Call,
    shares: Sequence[Share],
    trigger: str,
    notes: Mapping[str, str] | None = None,
) -> Deployment:
    """Return a new deployment; `trigger` is a word that wrangler knows."""
    return Deployment(
        id=workers.new_id(),
        created_on=workers.now(),
        source=source_of(call),
        author=call.caller.name,
        versions=tuple(shares),
        annotations={TRIGGER: trigger, **(notes or {})},
    )


def whole(version: Version) -> Sequence[Share]:
    """Return the shares that give a version everything."""
    return [Share(version_id=version.id, percentage=100)]


async def release(
    workers: Workers,
    call: Call,
    deployment: Deployment,
    edit: ScriptEdit,
    fresh: ScriptState | None = None,
) -> ScriptState:
    """Edit a Worker, deploy it, and wait until clients reach it; all or nothing.

    `fresh` is what the Worker is if there is none of its name yet.

    Raises:
        ApiError: it does not start; the catalog is as it was.
    """
    account, name = call.account, call.path["script"]
    before = find_script(workers.catalog.state, account, name)
    change = edit_script(
        account, name, workers.now(), lambda script: deployed(edit(script), deployment)
    )
    state = await workers.catalog.change(
        lambda state: change(_with(state, account, fresh))
    )
    try:
        await workers.fleet.apply(account, name)
    except (NodeError, UserError) as error:
        await workers.catalog.change(_undone(account, name, before))
        raise ApiError(
            f"{name} could not be started, and was not deployed: {error}",
            status=400 if isinstance(error, UserError) else 500,
            number=INVALID,
        ) from error
    return state.accounts[account].scripts[name]


def _with(state: State, account: str, fresh: ScriptState | None) -> State:
    """Put a new Worker in, if there is to be one."""
    if fresh is None or find_script(state, account, fresh.name):
        return state
    return with_new_script(state, account, fresh)


def with_new_script(state: State, account: str, script: ScriptState) -> State:
    """Put a Worker in whose name is not taken.

    Raises:
        ApiError: the account has as many as it may.
    """
    if len(account_of(state, account).scripts) >= SCRIPTS_MAX:
        raise bad(
            f"The account has {SCRIPTS_MAX} Workers, which is the most: delete one.",
            TOO_MANY_SCRIPTS,
        )
    return with_script(state, account, script)


def _undone(account: str, name: str, before: ScriptState | None) -> Edit:
    """Return the edit that takes a release back, and nothing else."""

    def undo(state: State) -> State:
        now = find_script(state, account, name)
        if before is None or now is None:
            return without_script(state, account, name) if now else state
        restored = replace(
            now,
            versions=before.versions,
            deployments=before.deployments,
            migrations=before.migrations,
            migration_tag=before.migration_tag,
            settings=before.settings,
        )
        return with_script(state, account, restored)

    return undo
