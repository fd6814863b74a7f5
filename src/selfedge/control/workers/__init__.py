"""The control API's routes for Workers: from an upload to what clients reach."""

from collections.abc import Sequence
from pathlib import Path
from secrets import token_bytes

from selfedge.binding import AnyBinding, Route
from selfedge.catalog.store import Catalog
from selfedge.control.fleet import Fleet
from selfedge.control.workers.assets import Sessions
from selfedge.control.workers.beta import Beta
from selfedge.control.workers.domains import Domains
from selfedge.control.workers.exports import by_esbuild
from selfedge.control.workers.logs import Find, Logs
from selfedge.control.workers.references import References
from selfedge.control.workers.resources import Services as ServicesOf
from selfedge.control.workers.scripts import Scripts
from selfedge.control.workers.secrets import Secrets
from selfedge.control.workers.services import Services
from selfedge.control.workers.settings import SettingsRoutes
from selfedge.control.workers.subdomain import Subdomains
from selfedge.control.workers.tails import Tails, TailUrl
from selfedge.control.workers.triggers import Triggers
from selfedge.control.workers.uploads import Uploads
from selfedge.control.workers.versions import Versions
from selfedge.control.workers.workers import Workers
from selfedge.types import Clock

_KEY_BYTES = 32


def workers_of(
    catalog: Catalog,
    fleet: Fleet,
    clock: Clock,
    *,
    bindings: Sequence[AnyBinding],
    esbuild: Path,
    services: ServicesOf | None = None,
) -> Workers:
    """Return the Workers of a node, for its routes."""
    return Workers(
        catalog=catalog,
        fleet=fleet,
        clock=clock,
        bindings=bindings,
        exports=by_esbuild(esbuild),
        services=services,
    )


def routes(
    workers: Workers,
    *,
    tails: Tails,
    logs: Find | None = None,
    serves_assets: bool = False,
) -> Sequence[Route]:
    """Return all routes of Workers."""
    sessions = Sessions(
        catalog=workers.catalog,
        clock=workers.clock,
        key=token_bytes(_KEY_BYTES),
        served=serves_assets,
    )
    uploads = Uploads(workers, sessions)
    scripts = Scripts(workers, uploads)
    kept = (Logs(workers, logs),) if logs else ()
    rooms = (
        scripts,
        sessions,
        Versions(workers),
        Secrets(workers),
        SettingsRoutes(workers),
        Subdomains(workers),
        Triggers(workers),
        Domains(workers),
        References(workers),
        Services(workers, scripts.delete),
        Beta(workers, uploads, scripts.delete),
        tails,
        *kept,
    )
    return [route for room in rooms for route in room.routes()]


__all__ = ["TailUrl", "Tails", "Workers", "routes", "workers_of"]
