"""An upload → a version of its Worker: deployed at once, or kept for later."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from selfedge.binding import Call
from selfedge.catalog.migrations import has_steps, migrated
from selfedge.catalog.model import Assets, ScriptState, Version
from selfedge.catalog.scripts import find_script, with_version
from selfedge.control.workers.assets import Sessions
from selfedge.control.workers.bindings import classes_of
from selfedge.control.workers.limits import MIGRATIONS_MAX_BYTES
from selfedge.control.workers.making import recoded, uploaded
from selfedge.control.workers.metadata import Metadata, check_name
from selfedge.control.workers.problem import MIGRATION_IN_VERSION, bad, invalid
from selfedge.control.workers.releases import (
    deployment_of,
    fresh_script,
    release,
    whole,
)
from selfedge.control.workers.settings import with_settings
from selfedge.control.workers.upload import Upload
from selfedge.control.workers.workers import Workers


@dataclass(frozen=True, slots=True)
class Uploads:
    """Takes uploads, one at a time for each Worker."""

    workers: Workers
    sessions: Sessions

    async def deploy(self, call: Call, upload: Upload) -> tuple[ScriptState, Version]:
        """Deploy an upload; there need be no Worker of its name yet.

        Raises:
            ApiError: it cannot run; nothing has changed.
        """
        name = call.path["script"]
        check_name(name)
        async with self.workers.turn(call):
            found = find_script(self.workers.catalog.state, call.account, name)
            fresh = found or fresh_script(self.workers, name)
            script = _migrated(fresh, upload.metadata)
            with_settings(script, upload.metadata)
            version = await self._version(call, script, upload)

            def edit(now: ScriptState) -> ScriptState:
                moved = _migrated(now, upload.metadata)
                return with_version(with_settings(moved, upload.metadata), version.id)

            notes = _notes(version.annotations)
            deployment = deployment_of(
                self.workers, call, whole(version), "upload", notes
            )
            new = await release(self.workers, call, deployment, edit, fresh)
        return new, version

    async def add(self, call: Call, upload: Upload) -> Version:
        """Keep an upload as the latest version of a Worker that is there.

        Raises:
            ApiError: there is no such Worker, or the upload cannot run.
        """
        if upload.metadata.migrations is not None:
            raise bad(
                "A version that is only uploaded cannot have Durable Object "
                "migrations: they are applied by `wrangler deploy`.",
                MIGRATION_IN_VERSION,
            )
        async with self.workers.turn(call):
            script = self.workers.script(call)
            version = await self._version(call, script, upload)
            await self.workers.add(call, version)
        return version

    async def replace_code(
        self, call: Call, upload: Upload
    ) -> tuple[ScriptState, Version]:
        """Deploy the latest version with other code, and all else as it is.

        Raises:
            ApiError: there is no version, or the code cannot run.
        """
        if upload.code is None:
            raise invalid("The upload has no code.")
        async with self.workers.turn(call):
            script = self.workers.script(call)
            version = await recoded(self.workers, call, script, upload.code)
            deployment = deployment_of(self.workers, call, whole(version), "upload")
            new = await release(
                self.workers,
                call,
                deployment,
                lambda now: with_version(now, version.id),
            )
        return new, version

    async def _version(
        self, call: Call, script: ScriptState, upload: Upload
    ) -> Version:
        assets = self._assets(call, upload, script)
        return await uploaded(self.workers, call, script, upload, assets)

    def _assets(self, call: Call, upload: Upload, script: ScriptState) -> Assets | None:
        before = self.workers.latest(script) if script.versions else None
        return self.sessions.files(call.account, upload.metadata, before)


def _migrated(script: ScriptState, metadata: Metadata) -> ScriptState:
    """Return a Worker with the migrations of an upload."""
    given = metadata.migrations
    if given is None or not has_steps(given):
        return script
    moved = migrated(script, given)
    if len(msgspec.json.encode(moved.migrations)) > MIGRATIONS_MAX_BYTES:
        raise invalid(
            f"The Durable Object migrations of {script.name} take over "
            f"{MIGRATIONS_MAX_BYTES} bytes."
        )
    classes_of(moved)
    return moved


def _notes(annotations: Mapping[str, str]) -> Mapping[str, str]:
    """Return what a deployment says of an upload: its message."""
    return {
        name: text for name, text in annotations.items() if name == "workers/message"
    }
