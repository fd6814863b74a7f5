"""Calls from Worker to Worker → first to the callee's static files: pure.

Clients come through the callee's edge, callers do not. So each kind of caller has a
router of its own, behind which stands what that caller would reach without it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from selfedge.binding import Site
from selfedge.compiler.graph import Part
from selfedge.edge.entry import entrance
from selfedge.types import Struct

ENTRANCE = entrance(None)

Designator = Mapping[str, object]


def with_routers(config: Struct, parts: Sequence[Part]) -> Struct:
    """Return `config`, where calls to Workers with static files pass their routers."""
    routers = dict(_routers(config, parts))
    if not routers:
        return config
    used: dict[str, Struct] = {}

    def routed(designator: Designator) -> Designator:
        if router := routers.get(str(designator.get("name"))):
            entrypoint = designator.get("entrypoint")
            if set(designator) == {"name"} or entrypoint == ENTRANCE:
                service = _before(router, designator)
                used[service["name"]] = service
                return {"name": service["name"]}
        return designator

    services = [_with_bindings(one, routed) for one in config["services"]]
    sockets = [_with_service(one, routed) for one in config["sockets"]]
    return {**config, "services": [*services, *used.values()], "sockets": sockets}


def _routers(config: Struct, parts: Sequence[Part]) -> Iterator[tuple[str, Struct]]:
    """Yield the name of each Worker that has a router, and the router."""
    services = {one["name"]: one for one in config["services"]}
    for part in parts:
        for fragment in part.fragments:
            if fragment.router is not None:
                yield Site.worker_service(part.name), services[fragment.router]


def _before(router: Struct, designator: Designator) -> Struct:
    """Return a router like `router` with `designator` behind it."""
    kind = "entrance" if "entrypoint" in designator else "calls"
    assets = dict(router["assets"])
    if "userWorker" in assets:
        assets["userWorker"] = dict(designator)
    return {"name": f"{router['name']}:{kind}", "assets": assets}


def _with_bindings(
    service: Struct, routed: Callable[[Designator], Designator]
) -> Struct:
    worker = service.get("worker")
    if not worker or not worker.get("bindings"):
        return service
    bindings = [_with_service(one, routed) for one in worker["bindings"]]
    return {**service, "worker": {**worker, "bindings": bindings}}


def _with_service(one: Struct, routed: Callable[[Designator], Designator]) -> Struct:
    if isinstance(one.get("service"), Mapping):
        return {**one, "service": routed(one["service"])}
    return one
