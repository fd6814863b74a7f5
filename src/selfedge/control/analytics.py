"""Cloudflare's GraphQL of usage figures: answered, so that wrangler goes on, with none.

`wrangler d1 info` and `wrangler r2 bucket info` add them to what else they show.
"""

from collections.abc import Sequence

import msgspec
from aiohttp.web import Response

from selfedge.binding import Call, Route

_NOTHING = msgspec.json.encode({"data": {"viewer": {"accounts": [{}]}}, "errors": None})


def routes() -> Sequence[Route]:
    """Return the one route."""
    return [Route(method="POST", path="/graphql", answer=_nothing, needs="read")]


async def _nothing(_call: Call) -> Response:
    return Response(body=_NOTHING, content_type="application/json")
