"""Which ids were written while a copy of the index is made."""

import threading
from collections.abc import Iterable


class Touched:
    """A set that one thread fills and another empties."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: set[str] | None = None

    def watch(self) -> None:
        """Begin, with none."""
        self._ids = set()

    def forget(self) -> None:
        """End: `take` tells the copier that its copy is of no use."""
        with self._lock:
            self._ids = None

    def add(self, ids: Iterable[str]) -> None:
        """Note `ids`, if anybody wants to know."""
        with self._lock:
            if self._ids is not None:
                self._ids.update(ids)

    def take(self) -> set[str] | None:
        """Return those since the last call; None after `forget`."""
        with self._lock:
            taken = self._ids
            if taken is not None:
                self._ids = set()
        return taken
