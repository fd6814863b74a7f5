"""Workers as the newer routes `workers/workers` see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from selfedge.api.body import read_as
from selfedge.api.paging import numbered
from selfedge.binding import Answer, Call, Page, Route
from selfedge.catalog.model import ScriptState, State
from selfedge.catalog.scripts import account_of, find_script
from selfedge.control.workers.bindings import SECRET, Entry
from selfedge.control.workers.metadata import (
    Settings,
    annotations,
    check_name,
    check_settings,
)
from selfedge.control.workers.problem import TAKEN, conflict, invalid
from selfedge.control.workers.releases import (
    TRIGGER,
    fresh_script,
    revised,
    with_new_script,
)
from selfedge.control.workers.settings import changes_of, with_settings
from selfedge.control.workers.shown import script_settings, version_shown
from selfedge.control.workers.subdomain import Wanted, with_wanted
from selfedge.control.workers.workers import Workers

_WORKERS = "/accounts/{account}/workers/workers"
_WORKER = f"{_WORKERS}/{{script}}"


class _Patch(Settings, frozen=True, kw_only=True):
    subdomain: Wanted | None = None


class _New(_Patch, frozen=True, kw_only=True):
    name: str


class _VersionPatch(Settings, frozen=True, kw_only=True):
    env: Mapping[str, Mapping[str, Any] | None] = {}


@dataclass(frozen=True, slots=True)
class Beta:
    """Makes, reads and changes Workers; changes the latest version."""

    workers: Workers
    delete: Answer

    def routes(self) -> Sequence[Route]:
        """Return its routes."""
        return [
            Route(method=method, path=path, answer=answer)
            for method, path, answer in (
                ("GET", _WORKERS, self._list),
                ("POST", _WORKERS, self._create),
                ("GET", _WORKER, self._get),
                ("PATCH", _WORKER, self._patch),
                ("PUT", _WORKER, self._patch),
                ("DELETE", _WORKER, self.delete),
                ("PATCH", f"{_WORKER}/versions/latest", self._patch_version),
            )
        ]

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
        given = await read_as(call, _VersionPatch)
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

    def _shown(self, account: str, script: ScriptState) -> Mapping[str, Any]:
        subdomain: dict[str, Any] = msgspec.structs.asdict(script.workers_dev)
        if script.workers_dev.enabled:
            host = self.workers.fleet.host(account, script.name)
            subdomain["url"] = f"http://{host}"
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
