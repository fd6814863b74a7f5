"""Runs cron triggers while a node runs; nobody calls them over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiohttp.web import BaseRequest, Response, StreamResponse

from selfedge.binding import Context
from selfedge.bindings.cron.service import CronService


@asynccontextmanager
async def serve(context: Context) -> AsyncIterator["CronServer"]:
    """Fire triggers for as long as the context lasts.

    Raises:
        StorageError: what ran last cannot be read.
    """
    service = CronService(
        context.storage.records("cron"),
        clock=context.clock,
        notice=context.notice,
        dispatch=context.dispatch,
        triggers=context.triggers,
    )
    await service.start()
    running = asyncio.create_task(service.run(), name="cron triggers")
    try:
        yield CronServer()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await service.close()


class CronServer:
    """Has nothing to answer."""

    async def handle(self, resource: str, request: BaseRequest) -> StreamResponse:
        """Refuse: there is no such binding."""
        del resource, request
        return Response(status=404)
