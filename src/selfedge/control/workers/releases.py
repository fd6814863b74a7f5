"""From an upload or a change of settings to a version, and from it to what runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from selfedge.binding import Call
from selfedge.catalog.deployments import deployed
from selfedge.catalog.model import (
    Assets,
    Deployment,
    ScriptState,
    Share,
    State,
    StoredModule,
    Version,
)
from selfedge.catalog.scripts import (
    Edit,
    ScriptEdit,
    account_of,
    edit_script,
    find_script,
    with_script,
    without_script,
)
from selfedge.control.workers.bindings import (
    KEPT_UNASKED,
    SECRET,
    Entry,
    check,
    check_targets,
    classes_of,
    merged,
)
from selfedge.control.workers.limits import SCRIPTS_MAX
from selfedge.control.workers.metadata import annotations, date_to_run
from selfedge.control.workers.modules import Code
from selfedge.control.workers.problem import (
    IN_USE,
    INVALID,
    TOO_MANY_SCRIPTS,
    bad,
    invalid,
)
from selfedge.control.workers.upload import Upload
from selfedge.control.workers.workers import Workers
from selfedge.errors import ApiError, NodeError, UserError

TRIGGER = "workers/triggered_by"


def source_of(call: Call) -> str:
    """Return which client calls."""
    agent = call.request.headers.get("User-Agent", "")
    return "wrangler" if agent.startswith("wrangler/") else "api"


async def uploaded(
    workers: Workers,
    call: Call,
    script: ScriptState,
    upload: Upload,
    assets: Assets | None,
) -> Version:
    """Keep a version that was uploaded, once it has been seen to start.

    `script` has the migrations that come with it; `bindings_inherit=strict` in the
    query makes an inherited binding that is not there an error.

    Raises:
        ApiError: it cannot run; nothing has changed.
    """
    metadata, code = upload.metadata, upload.code
    if code is None and assets is None:
        raise invalid("The upload has neither code nor static files.")
    before = workers.latest(script) if script.versions else None
    keep = metadata.keep_bindings
    entries = merged(
        metadata.bindings or (),
        before.bindings if before else (),
        keep=KEPT_UNASKED if keep is None else keep,
        strict=call.query.get("bindings_inherit") == "strict",
    )
    _check_entries(workers, call, script, entries)
    modules = await _stored(workers, code) if code else ()
    exports = await _exports(workers, script, code)
    limits = metadata.limits or {}
    version = Version(
        id=workers.new_id(),
        number=before.number + 1 if before else 1,
        created_on=workers.now(),
        source=source_of(call),
        author=call.caller.name,
        main_module=modules[0].name if modules else None,
        modules=modules,
        source_map=await _stored_map(workers, code),
        exports=exports,
        bindings=await _sealed(workers, entries),
        compatibility_date=date_to_run(metadata.compatibility_date),
        compatibility_flags=tuple(metadata.compatibility_flags or ()),
        limits={name: most for name, most in limits.items() if most is not None},
        placement=metadata.placement or {},
        annotations={TRIGGER: "upload", **annotations(metadata)},
        assets=assets,
    )
    return await _checked(workers, call, script, version)


async def revised(
    workers: Workers,
    call: Call,
    script: ScriptState,
    entries: Sequence[Entry] | None,
    **changes: Any,
) -> Version:
    """Keep a version that is the latest with other bindings or settings.

    Raises:
        ApiError: it cannot run; nothing has changed.
    """
    before = workers.latest(script)
    if entries is not None:
        _check_entries(workers, call, script, entries)
        changes["bindings"] = await _sealed(workers, entries)
    version = replace(
        before,
        id=workers.new_id(),
        number=before.number + 1,
        created_on=workers.now(),
        author=call.caller.name,
        **{"source": source_of(call), "annotations": {}, **changes},
    )
    return await _checked(workers, call, script, version)


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


def _check_entries(
    workers: Workers, call: Call, script: ScriptState, entries: Sequence[Entry]
) -> None:
    check(entries, workers.bindings)
    check_targets(workers.catalog.state, call.account, script, entries)


async def _checked(
    workers: Workers, call: Call, script: ScriptState, version: Version
) -> Version:
    """Start a version aside; keep it if it starts."""
    try:
        took_ms = await workers.fleet.check(call.account, script, version)
    except UserError as error:
        raise invalid(str(error)) from error
    checked = replace(version, startup_ms=took_ms)
    await workers.catalog.add_version(checked)
    return checked


async def _stored(workers: Workers, code: Code) -> tuple[StoredModule, ...]:
    return tuple(
        [
            StoredModule(
                name=module.name,
                type=module.type,
                sha256=await workers.catalog.add_blob(bytes(module.content)),
                size_bytes=module.content.nbytes,
            )
            for module in code.modules
        ]
    )


async def _stored_map(workers: Workers, code: Code | None) -> str | None:
    if code is None or code.source_map is None:
        return None
    return await workers.catalog.add_blob(bytes(code.source_map))


async def _exports(
    workers: Workers, script: ScriptState, code: Code | None
) -> tuple[str, ...]:
    """Return what the main module exports; all classes must be among it."""
    if code is None:
        return ()
    exports = tuple(await workers.exports(bytes(code.modules[0].content)))
    for name in classes_of(script):
        if exports and name not in exports:
            raise bad(
                f"The new version of {script.name} does not export the class {name!r}, "
                "which its Durable Objects are of. Export it, or delete it by a "
                "migration with `deleted_classes`.",
                IN_USE,
            )
    return exports


async def _sealed(workers: Workers, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Put the values of secrets away; what stands for one is its id."""
    sealed: list[Entry] = []
    for entry in entries:
        if entry["type"] == SECRET and "secret" not in entry:
            secret = await workers.catalog.seal(entry["text"])
            sealed.append({"name": entry["name"], "type": SECRET, "secret": secret})
        else:
            sealed.append(entry)
    return tuple(sealed)
