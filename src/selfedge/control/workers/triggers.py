"""What starts a Worker besides its own name: routes and schedules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from selfedge.api.body import read_as
from selfedge.binding import Call, Route
from selfedge.bindings.cron.errors import InvalidCron
from selfedge.bindings.cron.expression import following
from selfedge.bindings.cron.expression import parse as parse_cron
from selfedge.catalog.model import ScriptState, State
from selfedge.catalog.routes import WantedRoute, put_routes
from selfedge.catalog.scripts import account_of, script_of, with_script
from selfedge.control.workers.limits import CRONS_MAX, ROUTES_MAX
from selfedge.control.workers.problem import BAD_CRON, bad, invalid
from selfedge.control.workers.workers import Workers

_SCRIPT = "/accounts/{account}/workers/scripts/{script}"
_UPCOMING = "/accounts/{account}/workers/schedules/upcoming"  # Cloudflare has none
UPCOMING_MOST = 4  # times of a schedule


class _Route(msgspec.Struct, frozen=True, kw_only=True):
    pattern: str
    zone_id: str | None = None
    zone_name: str | None = None


class _Schedule(msgspec.Struct, frozen=True):
    cron: str


@dataclass(frozen=True, slots=True)
class Triggers:
    """Replaces all routes, or all schedules, of a Worker."""

    workers: Workers

    def routes(self) -> Sequence[Route]:
        """Return its routes."""
        schedules = f"{_SCRIPT}/schedules"
        return [
            Route(method="PUT", path=f"{_SCRIPT}/routes", answer=self._put_routes),
            Route(method="GET", path=f"{_SCRIPT}/routes", answer=self._get_routes),
            Route(method="GET", path=schedules, answer=self._get_schedules),
            Route(method="PUT", path=schedules, answer=self._put_schedules),
            Route(method="GET", path=_UPCOMING, answer=self._upcoming),
        ]

    async def _get_routes(self, call: Call) -> Sequence[Mapping[str, Any]]:
        return _routes_shown(self.workers.script(call))

    async def _put_routes(self, call: Call) -> Sequence[Mapping[str, Any]]:
        name = self.workers.script(call).name
        given = await read_as(call, list[_Route])
        if len(given) > ROUTES_MAX:
            raise invalid(
                f"There are {len(given)} routes, {ROUTES_MAX} of a Worker are the most."
            )
        wanted = [
            WantedRoute(
                pattern=one.pattern, zone_id=one.zone_id, zone_name=one.zone_name
            )
            for one in given
        ]
        await self.workers.catalog.change(
            lambda state: put_routes(state, call.account, name, wanted, self._route_id)
        )
        await self.workers.fleet.route()
        return _routes_shown(self.workers.script(call))

    def _route_id(self) -> str:
        return self.workers.new_id().replace("-", "")

    async def _get_schedules(self, call: Call) -> Mapping[str, Any]:
        return _schedules_shown(self.workers.script(call))

    async def _put_schedules(self, call: Call) -> Mapping[str, Any]:
        name = self.workers.script(call).name
        given = await read_as(call, list[_Schedule])
        crons = tuple(dict.fromkeys(_checked(one.cron) for one in given))
        await self.workers.catalog.change(
            lambda state: _scheduled(state, call.account, name, crons)
        )
        return _schedules_shown(self.workers.script(call))

    async def _upcoming(self, call: Call) -> Sequence[Mapping[str, Any]]:
        """Answer when the schedules of all Workers come next."""
        account = account_of(self.workers.catalog.state, call.account)
        found = [
            {"script": one.name, "cron": cron, "next": self._next(cron)}
            for one in account.scripts.values()
            for cron in one.schedules
        ]
        return sorted(found, key=lambda one: one["next"])

    def _next(self, cron: str) -> Sequence[str]:
        times = following(parse_cron(cron), self.workers.clock(), UPCOMING_MOST)
        return [f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}" for at in times]


def _scheduled(state: State, account: str, name: str, crons: tuple[str, ...]) -> State:
    scripts = account_of(state, account).scripts.values()
    others = sum(len(one.schedules) for one in scripts if one.name != name)
    if others + len(crons) > CRONS_MAX:
        raise bad(
            f"With {len(crons)} cron triggers for {name} the account has "
            f"{others + len(crons)}, {CRONS_MAX} are the most.",
            BAD_CRON,
        )
    script = script_of(state, account, name)
    return with_script(state, account, replace(script, schedules=crons))


def _checked(text: str) -> str:
    """Return a cron expression with single spaces, if it is one."""
    try:
        return parse_cron(text).text
    except InvalidCron as error:
        raise bad(str(error), BAD_CRON) from error


def _routes_shown(script: ScriptState) -> Sequence[Mapping[str, Any]]:
    return [
        {
            "id": route.id,
            "pattern": route.pattern,
            "zone_id": route.zone_id,
            "script": script.name,
        }
        for route in script.routes
    ]


def _schedules_shown(script: ScriptState) -> Mapping[str, Any]:
    when = script.modified_on
    return {
        "schedules": [
            {"cron": cron, "created_on": when, "modified_on": when}
            for cron in script.schedules
        ]
    }
