"""The routes there are: built-in ones, and those of bindings, added when needed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from importlib import import_module

from selfedge.binding import AnyBinding, Context, Route, Routes, Service
from selfedge.control.routing import Router, Target, split

Running = Callable[[str], Awaitable[Service]]
"""kind → its running service, the same one that Workers use."""


class Table:
    """Finds routes; a binding's service is started when a path may be its own."""

    def __init__(
        self,
        built_in: Iterable[Route],
        bindings: Iterable[AnyBinding],
        context: Context,
        running: Running,
    ) -> None:
        self._router = Router(built_in)
        self._pending = {b.kind: b.routes for b in bindings if b.routes is not None}
        self._context = context
        self._running = running
        self._adding = asyncio.Lock()

    async def find(self, path: str) -> Mapping[str, Target]:
        """Return method → target of a raw path; empty when there is no such path.

        Raises:
            ValueError: a segment does not decode to UTF-8.
        """
        found = self._router.find(path)
        if found or not self._pending:
            return found
        async with self._adding:
            for kind in _likely_first(self._pending, split(path)):
                if found := self._router.find(path):
                    return found
                await self._add(kind)
        return self._router.find(path)

    async def _add(self, kind: str) -> None:
        module, _, name = self._pending[kind].partition(":")
        routes: Routes = getattr(await asyncio.to_thread(import_module, module), name)
        self._router.add(routes(await self._running(kind), self._context))
        del self._pending[kind]


def _likely_first(kinds: Iterable[str], segments: Iterable[str]) -> list[str]:
    """Sort kinds that the path names before those that it does not."""
    named = set(segments)
    return sorted(kinds, key=lambda kind: kind not in named)
