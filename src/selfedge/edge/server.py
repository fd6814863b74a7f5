"""What the edge module in an isolate asks of Python: places, and error pages."""

from collections.abc import Callable
from typing import Protocol

import msgspec
from aiohttp import web

from selfedge.edge.place import Places


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """An exception that the user's handler did not catch."""

    name: str
    message: str
    stack: str  # as V8 writes it, positions in the bundle
    method: str
    url: str
    accept: str
    ray: str = ""  # of the request, as its client sees it


class Shown(Protocol):
    """What a client is shown of an exception."""

    def answer(self, accept: str) -> tuple[str, str]:
        """Return (body, content type) for a request's `Accept` header."""


Explain = Callable[[str, Report], Shown]
"""(script name, report) → what its client sees; may log it."""


class EdgeService:
    """Answers the edge modules of all Workers of one process."""

    def __init__(self, places: Places, explain: Explain) -> None:
        self._places = places
        self._explain = explain

    async def handle(
        self, resource: str, request: web.BaseRequest
    ) -> web.StreamResponse:
        """Answer the edge module of the Worker `resource`."""
        if request.path == "/place":
            query = request.query
            place = self._places.of(query.get("ip", ""), query.get("country"))
            return web.json_response(place)
        if request.path == "/exception":
            return self._exception(resource, await request.read())
        return web.Response(status=404)

    def _exception(self, worker: str, body: bytes) -> web.Response:
        try:
            report = msgspec.json.decode(body, type=Report)
        except msgspec.MsgspecError as error:
            return web.Response(status=400, text=str(error))
        text, content_type = self._explain(worker, report).answer(report.accept)
        return web.Response(
            status=500, body=text.encode(), headers={"content-type": content_type}
        )
