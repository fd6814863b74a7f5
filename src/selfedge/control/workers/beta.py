"""Workers as the newer routes `workers/workers` see them."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from selfedge.api.body import read_as
from selfedge.api.paging import numbered
from selfedge.binding import Answer, Call, Page, Route
from selfedge.catalog.model import ScriptState, State, Version
from selfedge.catalog.scripts import account_of, find_script
from selfedge.control.workers.bindings import SECRET, Entry
from selfedge.control.workers.limits import METADATA_MAX_BYTES, UPLOAD_MAX_BYTES
from selfedge.control.workers.making import TRIGGER, revised
from selfedge.control.workers.metadata import (
    Metadata,
    Settings,
    annotations,
    check_name,
    check_settings,
)
from selfedge.control.workers.modules import CONTENT_TYPES
from selfedge.control.workers.multipart import Part
from selfedge.control.workers.problem import TAKEN, conflict, invalid
from selfedge.control.workers.releases import fresh_script, with_new_script
from selfedge.control.workers.settings import changes_of, with_settings
from selfedge.control.workers.shown import script_settings, version_shown
from selfedge.control.workers.subdomain import Wanted, with_wanted
from selfedge.control.workers.upload import upload_of
from selfedge.control.workers.uploads import Uploads
from selfedge.control.workers.workers import Workers

_WORKERS = "/accounts/{account}/workers/workers"
_WORKER = f"{_WORKERS}/{{worker}}"
_VERSIONS = f"{_WORKER}/versions"


class _Patch(Settings, frozen=True, kw_only=True):
    subdomain: Wanted | None = None


class _New(_Patch, frozen=True, kw_only=True):
    name: str


class _Module(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    content_type: str
    content_base64: str


class _NewVersion(Metadata, frozen=True, kw_only=True):
    modules: Sequence[_Module] = ()


class _VersionPatch(Settings, frozen=True, kw_only=True):
    env: Mapping[str, Mapping[str, Any] | None] = {}


@dataclass(frozen=True, slots=True)
class Beta:
    """Makes, reads and changes Workers; changes the latest version."""

    workers: Workers
    uploads: Uploads
    delete: Answer

    def routes(self) -> Sequence[Route]:
        """Return its routes; a path names a Worker by its name or its id."""
        one = [
            ("GET", _WORKER, self._get),
            ("PATCH", _WORKER, self._patch),
            ("PUT", _WORKER, self._patch),
            ("DELETE", _WORKER, self.delete),
            ("PATCH", f"{_VERSIONS}/latest", self._patch_version),
            ("GET", _VERSIONS, self._versions),
            ("POST", _VERSIONS, self._add_version),
            ("GET", f"{_VERSIONS}/{{version}}", self._version),
        ]
        return [
            Route(method="GET", path=_WORKERS, answer=self._list),
            Route(method="POST", path=_WORKERS, answer=self._create),
            *(
                Route(method=method, path=path, answer=self._named(answer))
                for method, path, answer in one
            ),
        ]

    def _named(self, answer: Answer) -> Answer:
        """Have a call name its Worker as all others do."""

        async def named(call: Call) -> object:
            given = call.path["worker"]
            account = account_of(self.workers.catalog.state, call.account)
            names = {one.tag: one.name for one in account.scripts.values()}
            name = given if given in account.scripts else names.get(given, given)
            return await answer(replace(call, path={**call.path, "script": name}))

        return named

    async def _list(self, call: Call) -> Page:
        account = account_of(self.workers.catalog.state, call.account)
        shown = [
            self._shown(account.id, one) for _, one in sorted(account.scripts.items())
        ]
        return numbered(shown, call.query)

    async def _create(self, call: Call) -> Mapping[str, Any]:
        given = await read_as(call, _New)
        check_name(given.name)
        script = _with(fresh_script(self.workers, given.name), given)

        def edit(state: State) -> State:
            if find_script(state, call.account, given.name) is not None:
                raise conflict(f"There is a Worker {given.name!r} already.", TAKEN)
            return with_new_script(state, call.account, script)

        await self.workers.catalog.change(edit)
        return self._shown(call.account, script)

    async def _get(self, call: Call) -> Mapping[str, Any]:
        return self._shown(call.account, self.workers.script(call))

    async def _patch(self, call: Call) -> Mapping[str, Any]:
        self.workers.script(call)
        given = await read_as(call, _Patch)
        await self.workers.edit(call, lambda script: _with(script, given))
        await self.workers.fleet.route()
        return self._shown(call.account, self.workers.script(call))

    async def _patch_version(self, call: Call) -> Mapping[str, Any]:
        self.workers.latest(self.workers.script(call))
        given = await read_as(call, _VersionPatch, most_bytes=METADATA_MAX_BYTES)
        check_settings(given, self.workers.today())
        async with self.workers.turn(call):
            script = self.workers.script(call)
            before = self.workers.latest(script).bindings
            trigger = "secret" if _only_secrets(given) else "upload"
            version = await revised(
                self.workers,
                call,
                script,
                _merge_patched(before, given.env),
                annotations={TRIGGER: trigger, **annotations(given)},
                **changes_of(given),
            )
            await self.workers.add(call, version)
        return version_shown(version)

    async def _versions(self, call: Call) -> Page:
        script = self.workers.script(call)
        return self.workers.newest(script, call.query, _version_shown)

    async def _version(self, call: Call) -> Mapping[str, Any]:
        script = self.workers.script(call)
        version = self.workers.version(script, call.path["version"])
        shown = _version_shown(version)
        if call.query.get("include") != "modules":
            return shown
        modules = [
            {
                "name": module.name,
                "content_type": CONTENT_TYPES[module.type],
                "content_base64": base64.b64encode(
                    await self.workers.catalog.blob(module.sha256)
                ).decode(),
            }
            for module in version.modules
        ]
        return {**shown, "modules": modules}

    async def _add_version(self, call: Call) -> Mapping[str, Any]:
        self.workers.script(call)
        given = await read_as(call, _NewVersion, most_bytes=UPLOAD_MAX_BYTES)
        upload = upload_of(given, _parts(given), self.workers.today())
        if call.query.get("deploy") == "true":
            _, version = await self.uploads.deploy(call, upload)
        else:
            version = await self.uploads.add(call, upload)
        return _version_shown(version)

    def _shown(self, account: str, script: ScriptState) -> Mapping[str, Any]:
        subdomain: dict[str, Any] = msgspec.structs.asdict(script.workers_dev)
        if script.workers_dev.enabled:
            subdomain["url"] = self.workers.fleet.url(account, script.name)
        return {
            "id": script.tag,
            "name": script.name,
            "created_on": script.created_on,
            "updated_on": script.modified_on,
            "deployed_on": (
                script.deployments[0].created_on if script.deployments else None
            ),
            "subdomain": subdomain,
            **script_settings(script),
        }


def _with(script: ScriptState, given: _Patch) -> ScriptState:
    changed = with_settings(script, given)
    return changed if given.subdomain is None else with_wanted(changed, given.subdomain)


def _only_secrets(given: _VersionPatch) -> bool:
    values = [entry for entry in given.env.values() if entry is not None]
    return all(entry.get("type") == SECRET for entry in values)


def _merge_patched(
    before: Sequence[Entry], env: Mapping[str, Mapping[str, Any] | None]
) -> Sequence[Entry]:
    """Apply a merge patch (RFC 7396) to bindings by name."""
    found = {entry["name"]: entry for entry in before}
    for name, given in env.items():
        old = found.pop(name, None)
        if given is None:
            continue
        same = old is not None and given.get("type", old["type"]) == old["type"]
        entry = {**(old or {}), **given} if same else dict(given)
        if not name or not isinstance(entry.get("type"), str):
            raise invalid(f"`env.{name[:80]}` needs a `type`.")
        if entry["type"] == SECRET and "text" in given:
            entry = {"type": SECRET, "text": given["text"]}
        found[name] = {
            **{key: value for key, value in entry.items() if value is not None},
            "name": name,
        }
    return list(found.values())


def _version_shown(version: Version) -> Mapping[str, Any]:
    shown = version_shown(version)
    return {
        "id": version.id,
        "number": version.number,
        "created_on": version.created_on,
        "source": version.source,
        "author_email": version.author,
        "urls": [],
        "annotations": shown["annotations"],
        "bindings": shown["resources"]["bindings"],
        "main_module": version.main_module,
        "startup_time_ms": version.startup_ms,
        **shown["resources"]["script_runtime"],
    }


def _parts(given: _NewVersion) -> Sequence[Part]:
    """Return modules that came as base64 in JSON as parts of a form."""
    parts = []
    for module in given.modules:
        try:
            content = base64.b64decode(module.content_base64, validate=True)
        except ValueError as error:
            raise invalid(f"The module {module.name[:80]!r} is not base64.") from error
        part = Part(
            name=module.name,
            filename=None,
            content_type=module.content_type.partition(";")[0].strip().lower(),
            body=memoryview(content),
        )
        parts.append(part)
    return parts
