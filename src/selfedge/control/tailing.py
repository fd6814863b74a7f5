"""A client that listens to a Worker over a WebSocket: wrangler's `trace-v1`."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import WSMsgType, web

from selfedge.control.workers import Tails
from selfedge.control.workers.tails import Tail
from selfedge.telemetry.event import wanted
from selfedge.telemetry.hub import Hub, Listener

PATH = "/tails/"
PROTOCOL = "trace-v1"

Attach = Callable[[str, str], Awaitable[None]]
"""(account, script): have the Worker report its invocations while it is heard."""


class Tailing:
    """Answers clients that connect to the URL of a tail: it is their credential."""

    def __init__(self, tails: Tails, hub: Hub, attach: Attach) -> None:
        self._tails = tails
        self._hub = hub
        self._attach = attach

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Send events until the client leaves or the tail expires."""
        tail = self._tails.find(request.path.removeprefix(PATH))
        if tail is None:
            return web.Response(status=404, text="There is no such tail.\n")
        answer = web.WebSocketResponse(protocols=(PROTOCOL,))
        if not answer.can_prepare(request).ok:
            return web.Response(status=426, text="Connect with a WebSocket.\n")
        await answer.prepare(request)
        script = (tail.account, tail.script)
        try:
            with self._hub.listening(script) as listener:
                await self._attach(*script)
                await self._serve(tail, listener, answer, request.remote or "")
        finally:
            self._tails.end(tail.id)
            await asyncio.shield(self._attach(*script))
        return answer

    async def _serve(
        self, tail: Tail, listener: Listener, answer: web.WebSocketResponse, ip: str
    ) -> None:
        sending = asyncio.create_task(_send(tail, listener, answer, ip))
        reading = asyncio.create_task(_read(answer))
        left_s = tail.expires_s - self._tails.workers.clock()
        await asyncio.wait(
            {sending, reading}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED
        )
        for task in (sending, reading):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await task
        await answer.close()


async def _send(
    tail: Tail, listener: Listener, answer: web.WebSocketResponse, ip: str
) -> None:
    while True:
        event = await listener.next()
        if wanted(event, tail.filters, random.random, ip):
            await answer.send_bytes(msgspec.json.encode(event))


async def _read(answer: web.WebSocketResponse) -> None:
    """Take what the client says, which changes nothing, until it leaves."""
    async for message in answer:
        if message.type in {WSMsgType.ERROR, WSMsgType.CLOSE}:
            return
