"""The names of Workers below the node's workers domain."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import replace

from selfedge.api.body import read_as
from selfedge.binding import Call, Route
from selfedge.catalog.model import ScriptState, State, WorkersDev
from selfedge.catalog.scripts import account_of, with_account, with_workers_dev
from selfedge.control.workers.problem import conflict, invalid
from selfedge.control.workers.shown import USAGE_MODEL
from selfedge.control.workers.workers import Workers

_WORKERS = "/accounts/{account}/workers"
_OF_SCRIPT = f"{_WORKERS}/scripts/{{script}}/subdomain"
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
TAKEN = 10031


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a Worker is to have its own name; previews follow if not said."""

    enabled: bool
    previews_enabled: bool | None = None


class _Subdomain(msgspec.Struct, frozen=True):
    subdomain: str


def shown(script: ScriptState) -> Mapping[str, bool]:
    """Return whether a Worker has its own name."""
    return msgspec.structs.asdict(script.workers_dev)


def with_wanted(script: ScriptState, wanted: Wanted) -> ScriptState:
    """Return a Worker with, or without, a name of its own."""
    previews = wanted.previews_enabled
    setting = WorkersDev(
        enabled=wanted.enabled,
        previews_enabled=wanted.enabled if previews is None else previews,
    )
    return with_workers_dev(script, setting)


@dataclass(frozen=True, slots=True)
class Subdomains:
    """Turns names on and off; the account's own part of them can be changed."""

    workers: Workers

    def routes(self) -> Sequence[Route]:
        """Return its routes."""
        return [
            Route(method=method, path=path, answer=answer)
            for method, path, answer in (
                ("GET", f"{_WORKERS}/subdomain", self._account),
                ("PUT", f"{_WORKERS}/subdomain", self._rename),
                ("GET", f"{_WORKERS}/account-settings", self._settings),
                ("PUT", f"{_WORKERS}/account-settings", self._settings),
                ("GET", _OF_SCRIPT, self._get),
                ("POST", _OF_SCRIPT, self._set),
                ("DELETE", _OF_SCRIPT, self._unset),
            )
        ]

    async def _account(self, call: Call) -> Mapping[str, Any]:
        account = account_of(self.workers.catalog.state, call.account)
        return {"subdomain": account.subdomain}

    async def _rename(self, call: Call) -> Mapping[str, Any]:
        name = (await read_as(call, _Subdomain)).subdomain
        if not _LABEL.fullmatch(name):
            raise invalid(
                f"{name[:80]!r} cannot be a subdomain: it has at most 63 of a-z, 0-9 "
                "and -, and does not begin or end with -."
            )
        await self.workers.catalog.change(
            lambda state: _renamed(state, call.account, name)
        )
        await self.workers.fleet.route()
        return {"subdomain": name}

    async def _settings(self, call: Call) -> Mapping[str, Any]:
        del call
        return {"default_usage_model": USAGE_MODEL, "green_compute": False}

    async def _get(self, call: Call) -> Mapping[str, bool]:
        return shown(self.workers.script(call))

    async def _set(self, call: Call) -> Mapping[str, bool]:
        self.workers.script(call)
        return await self._to(call, await read_as(call, Wanted))

    async def _unset(self, call: Call) -> Mapping[str, bool]:
        return await self._to(call, Wanted(enabled=False))

    async def _to(self, call: Call, wanted: Wanted) -> Mapping[str, bool]:
        await self.workers.edit(call, lambda script: with_wanted(script, wanted))
        await self.workers.fleet.route()
        return shown(self.workers.script(call))


def _renamed(state: State, account: str, name: str) -> State:
    holders = {one.subdomain: one.id for one in state.accounts.values()}
    if holders.get(name, account) != account:
        raise conflict(f"The subdomain {name!r} is another account's.", TAKEN)
    return with_account(state, replace(account_of(state, account), subdomain=name))
