"""Hears of every invocation of the Workers that somebody listens to."""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from selfedge.telemetry.event import Stack, shaped
from selfedge.telemetry.hub import Hub


class _Batch(msgspec.Struct, frozen=True):
    events: list[dict[str, Any]] = []
    dropped: int = 0


Known = Callable[[str, str], tuple[str, Stack] | None]
"""(account, part) → the id of its version, and who knows its code."""


class TailService:
    """Passes what the tail Workers of one account report to the hub."""

    def __init__(self, account: str, hub: Hub, known: Known) -> None:
        self._account = account
        self._hub = hub
        self._known = known

    async def handle(
        self, resource: str, request: web.BaseRequest
    ) -> web.StreamResponse:
        """Take a batch of the part `resource`."""
        try:
            batch = msgspec.json.decode(await request.read(), type=_Batch)
        except msgspec.MsgspecError as error:
            return web.Response(status=400, text=str(error))
        script = resource.partition("@")[0]
        known = self._known(self._account, resource)
        if known is not None and self._hub.heard((self._account, script)):
            version, stack = known
            for raw in batch.events:
                make = partial(shaped, raw, script, version, stack)
                self._hub.publish((self._account, script), make)
        return web.Response()
