"""Passes events of Workers to those who listen, and never waits for them."""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeAlias

from selfedge.telemetry.event import Event, overload

WAITING_MAX = 1000  # events that a listener may be behind

Script: TypeAlias = tuple[str, str]
"""(account id, script name)."""


class Store(Protocol):
    """Keeps events."""

    def keep(self, script: Script, event: Event) -> None:
        """Keep one; it does not wait for the disk."""


Share = Callable[[Script], float]
"""Script → the share of its events that is kept, 0 to 1."""


class Listener:
    """What waits for one listener."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Event] = asyncio.Queue(WAITING_MAX)
        self._missed = 0

    def offer(self, event: Event) -> None:
        """Keep `event` for the listener, unless it is too far behind."""
        if self._waiting.full():
            self._missed += 1
        else:
            self._waiting.put_nowait(event)

    async def next(self) -> Event:
        """Return the next event; in between, how many were missed."""
        if self._missed and self._waiting.empty():
            missed, self._missed = self._missed, 0
            return overload(missed)
        return await self._waiting.get()


class Hub:
    """All listeners of a node, and what keeps events for later."""

    def __init__(
        self, share: Share = lambda _: 0.0, store: Store | None = None
    ) -> None:
        self._share = share
        self._store = store
        self._listeners: dict[Script, set[Listener]] = {}

    def publish(self, script: Script, make: Callable[[], Event]) -> None:
        """Offer what `make` returns to all who listen; keep it by chance.

        It is made only if somebody gets it.
        """
        kept = random.random() < self._share(script)  # noqa: S311 - a sample
        store = self._store if kept else None
        listeners = self._listeners.get(script, ())
        if store is None and not listeners:
            return
        event = make()
        if store is not None:
            store.keep(script, event)
        for listener in listeners:
            listener.offer(event)

    @contextmanager
    def listening(self, script: Script) -> Iterator[Listener]:
        """Listen to `script` while the context is open."""
        listener = Listener()
        group = self._listeners.setdefault(script, set())
        group.add(listener)
        try:
            yield listener
        finally:
            group.discard(listener)
            if not group:
                self._listeners.pop(script, None)

    def heard(self, script: Script) -> bool:
        """Whether anybody listens to `script`, or its events are kept."""
        return script in self._listeners or self._share(script) > 0
