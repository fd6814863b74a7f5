"""Zones, and the routes in them: what is for a Worker, and what for the origin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from selfedge.api.body import read_as
from selfedge.api.paging import numbered, whole_list
from selfedge.binding import Call, Page, Route
from selfedge.catalog import routes as patterns
from selfedge.catalog import zones
from selfedge.catalog.model import Account, ScriptRoute, Zone
from selfedge.catalog.store import Catalog
from selfedge.catalog.times import iso
from selfedge.catalog.tokens import Random
from selfedge.control.fleet import Fleet
from selfedge.control.guard import not_yours
from selfedge.errors import ApiError
from selfedge.types import Clock

_ZONES = "/zones"
_ZONE = f"{_ZONES}/{{zone}}"
_ROUTES = f"{_ZONE}/workers/routes"
_ROUTE = f"{_ROUTES}/{{route}}"
_PER_PAGE_MAX = 50


class _Named(msgspec.Struct):
    id: str | None = None


class _NewZone(msgspec.Struct):
    name: str
    account: _Named = msgspec.field(default_factory=_Named)
    origin: str | None = None


class _Change(msgspec.Struct):
    origin: str | msgspec.UnsetType | None = msgspec.UNSET


class _WantedRoute(msgspec.Struct):
    pattern: str
    script: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones:
    """Changes the catalog's zones, then has clients sent where it says."""

    catalog: Catalog
    fleet: Fleet
    clock: Clock
    random: Random

    def routes(self) -> Sequence[Route]:
        """Return its routes."""
        return [
            Route(method=method, path=path, answer=answer)
            for method, path, answer in (
                ("GET", _ZONES, self._list),
                ("POST", _ZONES, self._add),
                ("GET", _ZONE, self._get),
                ("PATCH", _ZONE, self._change),
                ("DELETE", _ZONE, self._remove),
                ("GET", _ROUTES, self._list_routes),
                ("POST", _ROUTES, self._add_route),
                ("GET", _ROUTE, self._get_route),
                ("PUT", _ROUTE, self._change_route),
                ("DELETE", _ROUTE, self._remove_route),
            )
        ]

    async def _list(self, call: Call) -> Page:
        name, account = call.query.get("name"), call.query.get("account.id")
        found = [
            shown(one, zone)
            for one in self.catalog.state.accounts.values()
            if call.caller.account in {None, one.id} and account in {None, "", one.id}
            for zone in one.zones.values()
            if name in {None, "", zone.name}
        ]
        if call.query.get("cursor"):  # all that there is came before a cursor
            found = []
        page = numbered(found, call.query, most=_PER_PAGE_MAX)
        return Page(items=page.items, info={**page.info, "cursor": ""})

    async def _add(self, call: Call) -> Mapping[str, object]:
        asked = await read_as(call, _NewZone)
        account = asked.account.id or self._only_account(call)
        if call.caller.account not in {None, account}:
            raise not_yours(call.caller.account or "")
        zone = Zone(
            id=self.random(16).hex(),
            name=zones.zone_name(asked.name),
            created_on=iso(self.clock()),
            origin=zones.origin_url(asked.origin),
        )
        await self.catalog.change(lambda state: zones.added(state, account, zone))
        return await self._routed(zone.id)

    async def _get(self, call: Call) -> Mapping[str, object]:
        return shown(*zones.found(self.catalog.state, call.path["zone"]))

    async def _change(self, call: Call) -> Mapping[str, object]:
        asked = await read_as(call, _Change)
        zone_id = call.path["zone"]
        if asked.origin is not msgspec.UNSET:
            origin = zones.origin_url(asked.origin)
            await self.catalog.change(
                lambda state: zones.changed(state, zone_id, origin)
            )
        return await self._routed(zone_id)

    async def _remove(self, call: Call) -> Mapping[str, object]:
        zone_id = call.path["zone"]
        await self.catalog.change(lambda state: zones.removed(state, zone_id))
        await self.fleet.route()
        return {"id": zone_id}

    async def _list_routes(self, call: Call) -> Page:
        return whole_list(self._routes_of(call), call.query)

    async def _get_route(self, call: Call) -> Mapping[str, object]:
        wanted = call.path["route"]
        for one in self._routes_of(call):
            if one["id"] == wanted:
                return one
        raise ApiError(
            f"The zone has no route {wanted[:80]}.",
            status=404,
            number=patterns.NO_ROUTE_HERE,
        )

    async def _add_route(self, call: Call) -> Mapping[str, object]:
        script, route = await self._wanted(call, self.random(16).hex())
        account = call.account
        await self.catalog.change(
            lambda state: patterns.add_route(state, account, script, route)
        )
        await self.fleet.route()
        return _shown_route(script, route)

    async def _change_route(self, call: Call) -> Mapping[str, object]:
        script, route = await self._wanted(call, call.path["route"])
        account = call.account
        await self.catalog.change(
            lambda state: patterns.change_route(state, account, script, route)
        )
        await self.fleet.route()
        return _shown_route(script, route)

    async def _remove_route(self, call: Call) -> Mapping[str, object]:
        account, zone, route = call.account, call.path["zone"], call.path["route"]
        await self.catalog.change(
            lambda state: patterns.remove_route(state, account, zone, route)
        )
        await self.fleet.route()
        return {"id": route}

    async def _wanted(self, call: Call, route_id: str) -> tuple[str, ScriptRoute]:
        asked = await read_as(call, _WantedRoute)
        if not asked.script:
            raise ApiError(
                "A route without a script cannot be kept here: requests that match "
                "no route go to the zone's origin anyway.",
                status=400,
                number=patterns.BAD_PATTERN,
            )
        patterns.parsed(asked.pattern)
        return asked.script, ScriptRoute(
            id=route_id, pattern=asked.pattern, zone_id=call.path["zone"]
        )

    def _routes_of(self, call: Call) -> Sequence[Mapping[str, object]]:
        account, zone = zones.found(self.catalog.state, call.path["zone"])
        found = patterns.routes_of_zone(account, zone.id)
        return [_shown_route(script.name, route) for script, route in found]

    def _only_account(self, call: Call) -> str:
        accounts = list(self.catalog.state.accounts)
        only = call.caller.account or (accounts[0] if len(accounts) == 1 else None)
        if only is None:
            raise ApiError(
                "account.id must name one of the node's accounts.",
                status=400,
                number=zones.BAD_ZONE,
            )
        return only

    async def _routed(self, zone_id: str) -> Mapping[str, object]:
        await self.fleet.route()
        return shown(*zones.found(self.catalog.state, zone_id))


def shown(account: Account, zone: Zone) -> Mapping[str, Any]:
    """Return a zone as clients see it; `origin` is ours."""
    return {
        "id": zone.id,
        "name": zone.name,
        "status": "active",
        "paused": False,
        "type": "full",
        "development_mode": 0,
        "name_servers": [],
        "original_name_servers": [],
        "original_registrar": None,
        "original_dnshost": None,
        "created_on": zone.created_on,
        "modified_on": zone.created_on,
        "activated_on": zone.created_on,
        "account": {"id": account.id, "name": account.name},
        "owner": {"id": account.id, "name": account.name, "type": "organization"},
        "meta": {},
        "permissions": [],
        "origin": zone.origin,
    }


def _shown_route(script: str, route: ScriptRoute) -> Mapping[str, object]:
    return {"id": route.id, "pattern": route.pattern, "script": script}
