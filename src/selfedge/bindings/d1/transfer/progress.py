"""Work that its client asks for again until it is done."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

PATIENCE_S = 5.0  # an answer waits so long for the end
KEPT_MAX = 100


@dataclass(slots=True)
class Progress:
    """The tasks of one purpose, by the bookmark that their clients were told."""

    patience_s: float = PATIENCE_S
    _tasks: "dict[tuple[str, str], asyncio.Task[Any]]" = field(default_factory=dict)

    def start(self, database: str, bookmark: str, work: Awaitable[Any]) -> None:
        """Begin `work`."""
        for key, task in list(self._tasks.items()):
            if task.done() and len(self._tasks) >= KEPT_MAX:
                del self._tasks[key]
        task = asyncio.ensure_future(_awaited(work))
        task.add_done_callback(_heard)
        self._tasks[database, bookmark] = task

    def busy(self, database: str) -> bool:
        """Whether some work on a database goes on."""
        return any(
            key[0] == database and not task.done() for key, task in self._tasks.items()
        )

    def known(self, database: str, bookmark: str) -> bool:
        """Whether there is such work, done or not."""
        return (database, bookmark) in self._tasks

    async def result(self, database: str, bookmark: str) -> Any:
        """Return what the work made, or None if it still goes on.

        What the work raised is raised; both only once.
        """
        task = self._tasks[database, bookmark]
        await asyncio.wait({task}, timeout=self.patience_s)
        if not task.done():
            return None
        self._tasks.pop((database, bookmark), None)
        return task.result()

    async def close(self) -> None:
        """Wait for what goes on; the databases that it needs are closed already."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        await asyncio.gather(*tasks, return_exceptions=True)


def _heard(task: "asyncio.Task[Any]") -> None:
    """Take note of an error: its client may never ask for it."""
    if not task.cancelled():
        task.exception()


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work
