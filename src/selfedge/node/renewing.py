"""The life of a running node: it takes new certificates until it is stopped."""

import asyncio

from selfedge.supervisor.front import Front
from selfedge.types import Notice


async def until_stopped(
    stop: asyncio.Event, renew: asyncio.Event, front: Front, notice: Notice
) -> None:
    """Return when `stop` is set; take new certificates whenever `renew` is set."""
    stopping = asyncio.create_task(stop.wait())
    while not stopping.done():
        renewing = asyncio.create_task(renew.wait())
        await asyncio.wait({stopping, renewing}, return_when=asyncio.FIRST_COMPLETED)
        renewing.cancel()
        if renew.is_set():
            renew.clear()
            try:
                await front.renew()
                notice("The certificate was read again.")
            except Exception as error:  # noqa: BLE001 - the old one goes on
                notice(f"The certificate stays as it was: {error}")
