"""What the front asks of Python: its table, why a Worker failed, who is a proxy."""

import ipaddress
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

import msgspec
from aiohttp import web

from selfedge.front.pages import Page

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A request that no process answered."""

    name: str  # "account/script"
    message: str


Explain = Callable[[str, str], Awaitable[tuple[Page, float]]]
"""(account, script) → the page for its client, and the seconds until a retry."""


class FrontService:
    """Answers the front of a node."""

    def __init__(
        self,
        table: Callable[[], Mapping[str, object]],
        explain: Explain,
        proxies: Sequence[Network],
    ) -> None:
        self._table = table
        self._explain = explain
        self._proxies = proxies

    async def handle(
        self, resource: str, request: web.BaseRequest
    ) -> web.StreamResponse:
        """Answer one question."""
        del resource
        if request.path == "/table":
            return _json(self._table())
        if request.path == "/trusted":
            return _json(self._trusted(request.query.get("ip", "")))
        if request.path == "/failed":
            return await self._failed(await request.read())
        return web.Response(status=404)

    async def _failed(self, body: bytes) -> web.Response:
        try:
            failure = msgspec.json.decode(body, type=Failure)
        except msgspec.MsgspecError as error:
            return web.Response(status=400, text=str(error))
        account, _, script = failure.name.partition("/")
        page, retry_s = await self._explain(account, script)
        headers = {"cache-control": "no-store", "retry-after": f"{max(1, retry_s):.0f}"}
        return web.Response(
            status=page.status,
            text=page.html(),
            content_type="text/html",
            charset="utf-8",
            headers=headers,
        )

    def _trusted(self, ip: str) -> bool:
        try:
            address = ipaddress.ip_address(ip)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)


def _json(value: object) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), content_type="application/json"
    )
