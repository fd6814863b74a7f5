"""Whether a node is alive, and whether it is ready; nobody needs a token to ask."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from aiohttp import web

ALIVE_PATH = "/healthz"
READY_PATH = "/readyz"
EVERY_S = 1.0

Check = Callable[[], Awaitable[str | None]]
"""Returns None if all is well, else what is not, without any secret."""


class Health:
    """Asks each part of a node, once a second at most: anybody may call."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._asking = asyncio.Lock()
        self._found: Mapping[str, str | None] = {}
        self._asked = -math.inf

    async def alive(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer, which says it all."""
        del request
        return web.Response(text="ok\n")

    async def ready(self, request: web.BaseRequest) -> web.StreamResponse:
        """Say which part is well: 200 if all are, 503 else."""
        del request
        found = await self._now()
        ready = not any(found.values())
        parts = {
            name: {"ok": True} if why is None else {"ok": False, "why": why}
            for name, why in found.items()
        }
        body = msgspec.json.encode({"ready": ready, "parts": parts})
        return web.Response(
            status=200 if ready else 503, body=body, content_type="application/json"
        )

    async def _now(self) -> Mapping[str, str | None]:
        loop = asyncio.get_running_loop()
        async with self._asking:
            if loop.time() - self._asked >= EVERY_S:
                self._found = {
                    name: await _asked(check) for name, check in self._checks.items()
                }
                self._asked = loop.time()
            return self._found


async def _asked(check: Check) -> str | None:
    try:
        return await check()
    except Exception as error:  # noqa: BLE001 - what cannot be asked is not well
        return f"it cannot be asked: {type(error).__name__}"
