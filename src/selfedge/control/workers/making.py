"""Makes versions: from an upload, or from the latest one and a change of it."""

import asyncio
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from selfedge.binding import Call
from selfedge.catalog.model import Assets, ScriptState, Seen, StoredModule, Version
from selfedge.control.workers.bindings import (
    KEPT_UNASKED,
    SECRET,
    Entry,
    check,
    check_targets,
    classes_of,
    merged,
)
from selfedge.control.workers.metadata import annotations, date_to_run
from selfedge.control.workers.modules import Code
from selfedge.control.workers.problem import IN_USE, bad, invalid
from selfedge.control.workers.resources import check_resources
from selfedge.control.workers.upload import Upload
from selfedge.control.workers.workers import Workers
from selfedge.errors import UserError

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
    await _check_entries(workers, call, script, entries)
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
        await _check_entries(workers, call, script, entries, before.bindings)
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


async def recoded(
    workers: Workers, call: Call, script: ScriptState, code: Code
) -> Version:
    """Keep a version that is the latest with other code.

    Raises:
        ApiError: it cannot run; nothing has changed.
    """
    modules = await _stored(workers, code)
    return await revised(
        workers,
        call,
        script,
        None,
        main_module=modules[0].name,
        modules=modules,
        source_map=await _stored_map(workers, code),
        exports=await _exports(workers, script, code),
        annotations={TRIGGER: "upload"},
    )


async def _check_entries(
    workers: Workers,
    call: Call,
    script: ScriptState,
    entries: Sequence[Entry],
    before: Sequence[Entry] = (),
) -> None:
    """Check bindings; what those `before` name has been looked up."""
    check(entries, workers.bindings)
    check_targets(workers.catalog.state, call.account, script, entries)
    if workers.services is not None:
        fresh = [one for one in entries if one not in before]
        await check_resources(workers.services, workers.bindings, call.account, fresh)


async def _checked(
    workers: Workers, call: Call, script: ScriptState, version: Version
) -> Version:
    """Start a version aside; keep it if it starts."""
    try:
        async with asyncio.timeout(workers.startup_max_s):
            seen = await workers.fleet.check(call.account, script, version)
    except UserError as error:
        raise invalid(str(error)) from error
    except TimeoutError as error:
        raise invalid(
            f"Script startup exceeded the time limit: {script.name} did not start "
            f"within {workers.startup_max_s:g} s. What is outside of handlers and "
            "classes runs at the start: let it compute less."
        ) from error
    checked = _with(version, seen)
    await workers.catalog.add_version(checked)
    return checked


def _with(version: Version, seen: Seen) -> Version:
    """Return a version with what was seen of it."""
    named = dict(seen.handlers) if version.modules else {}
    return replace(
        version,
        startup_ms=seen.startup_ms,
        handlers=named.pop("default", ()),
        named_handlers=named,
    )


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
    exports = await workers.exports(bytes(code.modules[0].content))
    if exports is None:
        return ()
    if not exports:
        raise invalid(
            f"{code.modules[0].name} exports nothing, so that the Worker does nothing: "
            "write `export default { fetch(request, env) { … } }`."
        )
    for name in classes_of(script):
        if name not in exports:
            raise bad(
                f"The new version of {script.name} does not export the class {name!r}, "
                "which its Durable Objects are of. Export it, or delete it by a "
                "migration with `deleted_classes`.",
                IN_USE,
            )
    return tuple(exports)


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
