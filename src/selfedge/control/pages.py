"""Pages beside the API, on the same listener and so of the same origin."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from aiohttp import web

Handler: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Pages(Protocol):
    """A site of fixed files."""

    def has(self, path: str) -> bool:
        """Return whether a path is one of its files."""

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request of a path that it has."""


def beside(pages: Pages | None, handler: Handler) -> Handler:
    """Return what answers with the site's files, and by `handler` all else."""
    if pages is None:
        return handler
    site = pages

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if site.has(request.path):
            return await site.answer(request)
        return await handler(request)

    return answer
