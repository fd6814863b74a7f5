"""Cloudflare's GraphQL of usage figures, as far as wrangler asks for it.

`wrangler r2 bucket info` and `wrangler d1 info` add such figures to what else they
show. A query is not run: each data set that it names comes from the route
`POST /accounts/{account}/graphql/<data set>` of a binding, or is left out.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from aiohttp.web import Response

from selfedge.api.body import read_as
from selfedge.binding import Call, Route
from selfedge.control.estate import Estate, reached
from selfedge.control.routing import Target

_DATA_SET = re.compile(r"\b([a-z][A-Za-z0-9]{1,60}Groups)\b")
_DATA_SETS_MAX = 8
_BODY_MAX_BYTES = 256 * 1024

Find = Callable[[str, str], Awaitable[Mapping[str, Target]]]
"""(account, path) → method → target among the routes of its bindings."""


class _Query(msgspec.Struct, frozen=True, kw_only=True):
    query: str = ""
    variables: dict[str, Any] = {}


def routes(estate: Estate, find: Find) -> Sequence[Route]:
    """Return the one route."""

    async def answer(call: Call) -> Response:
        asked = await read_as(call, _Query, most_bytes=_BODY_MAX_BYTES)
        account = _account(estate, call, asked)
        names = dict.fromkeys(_DATA_SET.findall(asked.query))
        found = {}
        for name in list(names)[:_DATA_SETS_MAX] if account else ():
            targets = await find(account, f"/accounts/{account}/graphql/{name}")
            if (target := targets.get("POST")) is not None:
                found[name] = await target.route.answer(
                    _below(call, account, asked.variables)
                )
        data = {"viewer": {"accounts": [found]}}
        body = msgspec.json.encode({"data": data, "errors": None})
        return Response(body=body, content_type="application/json")

    return [Route(method="POST", path="/graphql", answer=answer, needs="read")]


def _account(estate: Estate, call: Call, asked: _Query) -> str:
    tag = asked.variables.get("accountTag")
    if not isinstance(tag, str) or not tag.isascii() or "/" in tag:
        return call.account
    return reached(estate, call.caller, ("accounts", tag))


def _below(call: Call, account: str, variables: Mapping[str, Any]) -> Call:
    """Return the call of a data set: its query is the filter."""
    chosen = variables.get("filter")
    fields = chosen.items() if isinstance(chosen, dict) else ()
    return Call(
        account=account,
        caller=call.caller,
        path={"account": account},
        query={str(key): str(value) for key, value in fields},
        request=call.request,
    )
