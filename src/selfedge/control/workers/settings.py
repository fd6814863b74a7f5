"""Settings of Workers: those of a version, and those that no version has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import replace

from selfedge.api.body import read_as, read_bytes
from selfedge.binding import Call, Route
from selfedge.catalog.model import ScriptState
from selfedge.catalog.scripts import with_version
from selfedge.control.workers.bindings import inherits_bare, merged
from selfedge.control.workers.limits import (
    METADATA_MAX_BYTES,
    SETTINGS_MAX_BYTES,
)
from selfedge.control.workers.making import TRIGGER, revised
from selfedge.control.workers.metadata import (
    Settings,
    annotations,
    check_settings,
    date_to_run,
)
from selfedge.control.workers.multipart import parse
from selfedge.control.workers.problem import invalid
from selfedge.control.workers.releases import deployment_of, release, whole
from selfedge.control.workers.shown import (
    USAGE_MODEL,
    script_settings,
    settings_shown,
)
from selfedge.control.workers.upload import field
from selfedge.control.workers.workers import Workers

_SCRIPT = "/accounts/{account}/workers/scripts/{script}"
_OF_SCRIPT = ("observability", "logpush", "tags", "tail_consumers")


def with_settings(script: ScriptState, given: Settings) -> ScriptState:
    """Return a Worker with those settings that are given and no version has.

    Raises:
        ApiError: they are too much.
    """
    changes = {
        name: tuple(value) if name in {"tags", "tail_consumers"} else value
        for name in _OF_SCRIPT
        if (value := getattr(given, name)) is not None
    }
    settings = replace(script.settings, **changes)
    size = len(msgspec.json.encode(settings))
    if size > SETTINGS_MAX_BYTES:
        raise invalid(
            f"The observability, tags and tail consumers of {script.name} take {size} "
            f"bytes, {SETTINGS_MAX_BYTES} are the most."
        )
    return replace(script, settings=settings)


@dataclass(frozen=True, slots=True)
class SettingsRoutes:
    """Reads and changes settings."""

    workers: Workers

    def routes(self) -> Sequence[Route]:
        """Return its routes."""
        return [
            Route(method=method, path=f"{_SCRIPT}/{name}", answer=answer)
            for method, name, answer in (
                ("GET", "settings", self._get),
                ("PATCH", "settings", self._patch),
                ("GET", "script-settings", self._get_script),
                ("PATCH", "script-settings", self._patch_script),
                ("GET", "usage-model", self._usage_model),
                ("PUT", "usage-model", self._usage_model),
            )
        ]

    async def _get(self, call: Call) -> Mapping[str, Any]:
        script = self.workers.script(call)
        if not script.versions:
            return {**script_settings(script), "bindings": []}
        return settings_shown(script, self.workers.latest(script))

    async def _patch(self, call: Call) -> Mapping[str, Any]:
        self.workers.script(call)
        given = await _read_settings(call)
        check_settings(given, self.workers.today())
        if given.migrations is not None:
            raise invalid("Durable Object migrations come with an upload of code.")
        async with self.workers.turn(call):
            script = self.workers.script(call)
            changes = changes_of(given)
            if changes or given.bindings is not None:
                await self._revise(call, script, given, changes)
            else:
                await self._change(call, given)
            script = self.workers.script(call)
        return settings_shown(script, self.workers.latest(script))

    async def _revise(
        self,
        call: Call,
        script: ScriptState,
        given: Settings,
        changes: Mapping[str, Any],
    ) -> None:
        entries = None
        if given.bindings is not None:
            before = self.workers.latest(script).bindings
            wanted = inherits_bare(given.bindings, before)
            entries = merged(wanted, before, keep=(), strict=True)
        notes = {TRIGGER: "upload", **annotations(given)}
        version = await revised(
            self.workers, call, script, entries, annotations=notes, **changes
        )
        deployment = deployment_of(self.workers, call, whole(version), "upload")
        await release(
            self.workers,
            call,
            deployment,
            lambda now: with_version(with_settings(now, given), version.id),
        )

    async def _get_script(self, call: Call) -> Mapping[str, Any]:
        return script_settings(self.workers.script(call))

    async def _patch_script(self, call: Call) -> Mapping[str, Any]:
        self.workers.script(call)
        given = await read_as(call, Settings, most_bytes=METADATA_MAX_BYTES)
        await self._change(call, given)
        return script_settings(self.workers.script(call))

    async def _change(self, call: Call, given: Settings) -> None:
        await self.workers.edit(call, lambda script: with_settings(script, given))
        await self.workers.fleet.attach(call.account, call.path["script"])

    async def _usage_model(self, call: Call) -> Mapping[str, Any]:
        self.workers.script(call)
        return {"usage_model": USAGE_MODEL}


def changes_of(given: Settings) -> dict[str, Any]:
    """Return what a version is to have in place of what it has, but its bindings."""
    changes: dict[str, Any] = {}
    if given.compatibility_date is not None:
        changes["compatibility_date"] = date_to_run(given.compatibility_date)
    if given.compatibility_flags is not None:
        changes["compatibility_flags"] = tuple(given.compatibility_flags)
    if given.limits is not None:
        changes["limits"] = {
            name: most for name, most in given.limits.items() if most is not None
        }
    if given.placement is not None:
        changes["placement"] = given.placement
    return changes


async def _read_settings(call: Call) -> Settings:
    """Return settings: a form with the part `settings`, or JSON itself."""
    kind = call.request.headers.get("Content-Type", "")
    raw: bytes | memoryview = await read_bytes(call, most_bytes=METADATA_MAX_BYTES)
    if kind.lower().startswith("multipart/"):
        raw = field("settings", parse(kind, bytes(raw))).body
    try:
        return msgspec.json.decode(raw, type=Settings)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(f"The settings are wrong: {error}.") from error
