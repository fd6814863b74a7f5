"""The routes there are: built-in ones, and those of bindings, added when needed.

Each account has services of its own, so the routes of bindings are per account.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import NamedTuple

from selfedge.binding import AnyBinding, Context, Route, Routes, Service
from selfedge.control.routing import Router, Target, split

Running = Callable[[str], Awaitable[Service]]
"""kind → its running service, the same one that Workers use."""


class Room(NamedTuple):
    """What an account's bindings run on."""

    context: Context
    running: Running


Rooms = Callable[[str], Awaitable[Room]]
"""account → its room."""


class Table:
    """The routes of one account's bindings.

    A binding's service is started when a path may be its own.
    """

    def __init__(self, bindings: Iterable[AnyBinding], room: Room) -> None:
        self._router = Router()
        self._pending = {b.kind: b.routes for b in bindings if b.routes is not None}
        self._room = room
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

    def known(self, path: str) -> Mapping[str, Target]:
        """Do as `find` does, but start nothing.

        Raises:
            ValueError: a segment does not decode to UTF-8.
        """
        return self._router.find(path)

    async def every(self) -> Sequence[Route]:
        """Return all routes; starts all services."""
        async with self._adding:
            for kind in list(self._pending):
                await self._add(kind)
        return self._router.routes

    async def _add(self, kind: str) -> None:
        module, _, name = self._pending[kind].partition(":")
        routes: Routes = getattr(await asyncio.to_thread(import_module, module), name)
        service = await self._room.running(kind)
        self._router.add(routes(service, self._room.context))
        del self._pending[kind]


class Tables:
    """All routes: the built-in ones, which all accounts share, and each account's."""

    def __init__(
        self, built_in: Iterable[Route], bindings: Iterable[AnyBinding], rooms: Rooms
    ) -> None:
        self._built_in = Router(built_in)
        self._bindings = list(bindings)
        self._rooms = rooms
        self._tables: dict[str, Table] = {}

    def add(self, routes: Iterable[Route]) -> None:
        """Add built-in routes."""
        self._built_in.add(routes)

    def built_in(self, path: str) -> Mapping[str, Target]:
        """Return method → target of a raw path among the built-in routes.

        Raises:
            ValueError: a segment does not decode to UTF-8.
        """
        return self._built_in.find(path)

    def known(self, account: str, path: str) -> Mapping[str, Target]:
        """Return method → target among the routes that are there; starts nothing.

        Raises:
            ValueError: a segment does not decode to UTF-8.
        """
        found = self._built_in.find(path)
        if not found and (table := self._tables.get(account)):
            found = table.known(path)
        return found

    async def of_bindings(self, account: str, path: str) -> Mapping[str, Target]:
        """Return method → target of a raw path among those of `account`'s bindings.

        Raises:
            ValueError: a segment does not decode to UTF-8.
        """
        return await (await self._table(account)).find(path)

    async def every(self, account: str) -> Sequence[Route]:
        """Return all routes that `account` has; starts all its services."""
        table = await self._table(account)
        return [*self._built_in.routes, *await table.every()]

    def forget(self, account: str) -> None:
        """Drop the routes of an account whose services have ended."""
        self._tables.pop(account, None)

    async def _table(self, account: str) -> Table:
        if account not in self._tables:
            room = await self._rooms(account)
            self._tables.setdefault(account, Table(self._bindings, room))
        return self._tables[account]


def _likely_first(kinds: Iterable[str], segments: Iterable[str]) -> list[str]:
    """Sort kinds that the path names before those that it does not."""
    named = set(segments)
    return sorted(kinds, key=lambda kind: kind not in named)
