"""The figures of a node, as JSON below the API and for Prometheus beside it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from selfedge.binding import Call, Caller, Route
from selfedge.control.answers import envelope_response
from selfedge.control.envelope import failure
from selfedge.control.guard import bearer, check_site, known
from selfedge.control.rate import Rates
from selfedge.control.who import Who
from selfedge.errors import ApiError
from selfedge.telemetry.snapshot import Snapshot, shown

PATH = "/node/metrics"
SCRAPE_PATH = "/metrics"

Measure = Callable[[], Awaitable[Snapshot]]
"""Asks every process what it has counted."""


@dataclass(frozen=True, slots=True)
class Measures:
    """Shows each caller what is of its account."""

    measure: Measure

    def routes(self) -> Sequence[Route]:
        """Return its route; Cloudflare has none like it."""
        return [Route(method="GET", path=PATH, answer=self._figures)]

    async def _figures(self, call: Call) -> Mapping[str, object]:
        return shown((await self.measure()).only(call.caller.account))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """Answers Prometheus; any token will do, as a reader's."""

    measure: Measure
    who: Who
    rates: Rates | None
    any_host: bool

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one scrape, with what is of the token's account."""
        try:
            check_site(request.headers, any_host=self.any_host)
            caller = self._caller(request)
        except ApiError as error:
            return envelope_response(error.status, failure(error.number, str(error)))
        snapshot = (await self.measure()).only(caller.account)
        body, content_type = await asyncio.to_thread(_rendered, snapshot)
        return web.Response(body=body, headers={"Content-Type": content_type})

    def _caller(self, request: web.BaseRequest) -> Caller:
        try:
            caller = known(self.who, bearer(request.headers))
        except ApiError:
            if self.rates is not None:
                self.rates.failed(request.remote or "?")
            raise
        if self.rates is not None:
            self.rates.called(caller.id)
        return caller


def _rendered(snapshot: Snapshot) -> tuple[bytes, str]:
    """Return a scrape's body and type; the library is loaded by the first of them."""
    from selfedge.control.exposition import CONTENT_TYPE, exposition  # noqa: PLC0415

    return exposition(snapshot), CONTENT_TYPE
