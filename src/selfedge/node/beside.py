"""What a node answers beside its API, on the same listener."""

from collections.abc import Mapping

from aiohttp import web

from selfedge.control.health import ALIVE_PATH, READY_PATH, Health
from selfedge.control.measures import SCRAPE_PATH, Scrape
from selfedge.control.pages import Handler, beside
from selfedge.control.tailing import PATH as TAILS_PATH
from selfedge.control.tailing import Tailing
from selfedge.dashboard.server import Dashboard

_READING = frozenset({"GET", "HEAD"})


def beside_api(
    api: Handler, tailing: Tailing, scrape: Scrape, health: Health
) -> Handler:
    """Return what answers by path, the dashboard's too, and by `api` all else."""
    handlers: Mapping[str, Handler] = {
        SCRAPE_PATH: scrape.answer,
        ALIVE_PATH: health.alive,
        READY_PATH: health.ready,
    }

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith(TAILS_PATH):
            return await tailing.answer(request)
        if request.method in _READING and request.path in handlers:
            return await handlers[request.path](request)
        return await api(request)

    return beside(Dashboard(), answer)
