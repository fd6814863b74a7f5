"""Workers as services with one environment: how older parts of the API see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selfedge.api.paging import whole_list
from selfedge.binding import Answer, Call, Page, Route
from selfedge.catalog.model import ScriptState
from selfedge.control.workers.bindings import public
from selfedge.control.workers.problem import missing
from selfedge.control.workers.shown import ENVIRONMENT, USAGE_MODEL, script_shown
from selfedge.control.workers.subdomain import shown as subdomain_shown
from selfedge.control.workers.workers import Workers

_SERVICE = "/accounts/{account}/workers/services/{script}"
NO_ENVIRONMENT = 10092


@dataclass(frozen=True, slots=True)
class Services:
    """Reads Workers as services; `delete` is that of scripts."""

    workers: Workers
    delete: Answer

    def routes(self) -> Sequence[Route]:
        """Return its routes."""
        environment = f"{_SERVICE}/environments/{{environment}}"
        return [
            Route(method=method, path=path, answer=answer)
            for method, path, answer in (
                ("GET", _SERVICE, self._get),
                ("DELETE", _SERVICE, self.delete),
                ("GET", environment, self._environment),
                ("GET", f"{environment}/bindings", self._bindings),
                ("GET", f"{environment}/routes", self._routes),
                ("GET", f"{environment}/subdomain", self._subdomain),
            )
        ]

    async def _get(self, call: Call) -> Mapping[str, Any]:
        script = self.workers.script(call)
        environment = self._shown(script)
        return {
            "id": script.name,
            "default_environment": environment,
            "environments": [environment],
            "created_on": script.created_on,
            "modified_on": script.modified_on,
            "usage_model": USAGE_MODEL,
        }

    async def _environment(self, call: Call) -> Mapping[str, Any]:
        return self._shown(self._script(call))

    async def _bindings(self, call: Call) -> Page:
        script = self._script(call)
        entries = self.workers.latest(script).bindings if script.versions else ()
        return whole_list(public(entries), call.query)

    async def _routes(self, call: Call) -> Page:
        script = self._script(call)
        account = self.workers.catalog.state.accounts[call.account]
        found = [
            {
                "id": route.id,
                "pattern": route.pattern,
                "zone_id": route.zone_id,
                "zone_name": account.zones[route.zone_id].name,
                "script": script.name,
            }
            for route in script.routes
            if route.zone_id in account.zones
        ]
        return whole_list(found, call.query)

    async def _subdomain(self, call: Call) -> Mapping[str, bool]:
        return subdomain_shown(self._script(call))

    def _script(self, call: Call) -> ScriptState:
        script = self.workers.script(call)
        if call.path["environment"] != ENVIRONMENT:
            raise missing(
                f"{script.name} has no environment {call.path['environment'][:80]!r}, "
                f"only {ENVIRONMENT}.",
                NO_ENVIRONMENT,
            )
        return script

    def _shown(self, script: ScriptState) -> Mapping[str, Any]:
        return {
            "environment": ENVIRONMENT,
            "created_on": script.created_on,
            "modified_on": script.modified_on,
            "script": script_shown(script, self.workers.live(script)),
        }
