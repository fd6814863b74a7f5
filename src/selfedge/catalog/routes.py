"""Patterns whose requests reach a Worker: edits, pure.

A pattern is `[http[s]://]HOST[/PATH]`; `*` may begin the host and end the path.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from selfedge.catalog.model import Account, ScriptRoute, ScriptState, State, Zone
from selfedge.catalog.scripts import account_of, script_of, with_script
from selfedge.errors import ApiError

TAKEN = 10020  # another Worker has the pattern
BAD_PATTERN = 10022
NO_ZONE = 7000
NO_ROUTE_HERE = 10009
PATTERN_MAX_CHARS = 1024
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_PATTERN = re.compile(
    rf"(?:(https?)://)?(\*|(?:\*\.?)?{_LABEL}(?:\.{_LABEL})*)(/[^?#\s*\x00-\x1f\x7f]*\*?)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRoute:
    """A pattern, and the zone that the caller names for it, if any."""

    pattern: str
    zone_id: str | None = None
    zone_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A pattern in parts."""

    scheme: str  # "http", "https", or "" for both
    host: str  # lowercase; may begin with "*"
    path: str  # begins with "/"; may end with "*"

    @property
    def normal(self) -> str:
        """The one way to write it."""
        scheme = f"{self.scheme}://" if self.scheme else ""
        return f"{scheme}{self.host}{self.path}"


def parsed(pattern: str) -> Pattern:
    """Read a pattern.

    Raises:
        ApiError: it is none (400, 10022).
    """
    scheme, split, rest = pattern.rpartition("://")
    host, slash, path = rest.partition("/")
    text = f"{scheme.lower()}{split}{host.lower()}{slash}{path}"
    match = _PATTERN.fullmatch(text) if len(text) <= PATTERN_MAX_CHARS else None
    if match is None:
        raise ApiError(
            f"{pattern[:200]!r} is not a route pattern: write HOST/PATH, such as "
            "example.com/api/*; `*` may stand only where the host begins and where "
            f"the path ends, there is no query, and {PATTERN_MAX_CHARS} characters "
            "are the most.",
            status=400,
            number=BAD_PATTERN,
        )
    return Pattern(scheme=match[1] or "", host=match[2], path=match[3] or "/")


def zone_for(account: Account, wanted: WantedRoute) -> Zone:
    """Return the zone of a pattern: the one that is named, else by its host.

    Raises:
        ApiError: the account has no such zone, or the host is not inside it.
    """
    host = parsed(wanted.pattern).host.removeprefix("*").removeprefix(".")
    zones = [
        zone
        for zone in account.zones.values()
        if wanted.zone_id in (None, "", zone.id)
        and (wanted.zone_name or zone.name).lower() == zone.name
        and (host == zone.name or host.endswith(f".{zone.name}"))
    ]
    if zones:
        return max(zones, key=lambda zone: len(zone.name))
    named = wanted.zone_name or wanted.zone_id
    raise ApiError(
        f"No zone {f'{named[:80]} ' if named else ''}of the account has "
        f"{wanted.pattern[:200]!r}. Add it on the node: "
        f"selfedge zone add {wanted.zone_name or host or 'DOMAIN'}",
        status=400,
        number=NO_ZONE,
    )


def all_routes(state: State) -> Iterator[tuple[Account, ScriptState, ScriptRoute]]:
    """Yield every route of the node."""
    for account in state.accounts.values():
        for script in account.scripts.values():
            for route in script.routes:
                yield account, script, route


def routes_of_zone(
    account: Account, zone_id: str
) -> Sequence[tuple[ScriptState, ScriptRoute]]:
    """Return the routes of a zone, with their Workers."""
    return [
        (script, route)
        for script in account.scripts.values()
        for route in script.routes
        if route.zone_id == zone_id
    ]


def put_routes(
    state: State,
    account: str,
    script: str,
    wanted: Sequence[WantedRoute],
    new_id: Callable[[], str],
) -> State:
    """Give a Worker these routes in place of those that it has; ids stay.

    Raises:
        ApiError: a pattern is wrong or stands twice, in no zone of the account, or
            another Worker's (409, 10020).
    """
    found = script_of(state, account, script)
    known = {parsed(route.pattern).normal: route for route in found.routes}
    routes: dict[str, ScriptRoute] = {}
    for one in wanted:
        zone = zone_for(account_of(state, account), one)
        normal = parsed(one.pattern).normal
        if normal in routes:
            continue
        _check_free(state, normal, account, script)
        old = known.get(normal)
        routes[normal] = ScriptRoute(
            id=old.id if old else new_id(), pattern=one.pattern, zone_id=zone.id
        )
    return with_script(state, account, replace(found, routes=tuple(routes.values())))


def add_route(state: State, account: str, script: str, route: ScriptRoute) -> State:
    """Give a Worker one more route, in the zone `route.zone_id`.

    Raises:
        ApiError: as `put_routes`; also if the Worker has the pattern already.
    """
    found = script_of(state, account, script)
    normal = parsed(route.pattern).normal
    wanted = WantedRoute(pattern=route.pattern, zone_id=route.zone_id)
    zone_for(account_of(state, account), wanted)
    _check_free(state, normal, account, None)
    routes = (*found.routes, route)
    return with_script(state, account, replace(found, routes=routes))


def remove_route(state: State, account: str, zone_id: str, route_id: str) -> State:
    """Take a route from the Worker that has it.

    Raises:
        ApiError: the zone has no such route (404).
    """
    for script, route in routes_of_zone(account_of(state, account), zone_id):
        if route.id == route_id:
            left = tuple(one for one in script.routes if one.id != route_id)
            return with_script(state, account, replace(script, routes=left))
    raise ApiError(
        f"The zone has no route {route_id[:80]}.", status=404, number=NO_ROUTE_HERE
    )


def change_route(state: State, account: str, script: str, route: ScriptRoute) -> State:
    """Give the route with this id another pattern or Worker.

    Raises:
        ApiError: as `remove_route` and `add_route`.
    """
    without = remove_route(state, account, route.zone_id, route.id)
    return add_route(without, account, script, route)


def _check_free(state: State, normal: str, account: str, script: str | None) -> None:
    """Check that no Worker has the pattern; `script` may."""
    for owner, other, route in all_routes(state):
        mine = (owner.id, other.name) == (account, script)
        if not mine and parsed(route.pattern).normal == normal:
            holder = other.name if owner.id == account else "another account"
            raise ApiError(
                f"A route with the same pattern already exists: {route.pattern} is "
                f"of {holder}. Remove it there first.",
                status=409,
                number=TAKEN,
            )
