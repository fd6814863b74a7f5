"""A thread with a connection of its own, that does one job after the other."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import Any, TypeAlias

from selfedge.bindings.d1.database.connection import Connection
from selfedge.bindings.d1.errors import D1Error, QueryTooLong

Open: TypeAlias = Callable[[], Connection]


@dataclass(frozen=True, slots=True)
class Job:
    """A call that waits for a lane."""

    call: Callable[[Connection], Any]
    done: asyncio.Future[Any]
    limit_s: float | None  # None: it may take as long as it takes


Jobs: TypeAlias = SimpleQueue[Job | None]


class Lane:
    """Takes jobs from `jobs`, which several lanes may share, until one is None."""

    def __init__(
        self, name: str, open_: Open, jobs: Jobs, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._open = open_
        self._jobs = jobs
        self._loop = loop
        self._connection: Connection | None = None
        self._lock = Lock()  # of the next two: the job that runs, and when it began
        self._job: Job | None = None
        self._started = 0.0
        self._stopped: D1Error | None = None
        self._ending: D1Error | None = None
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def stop_if_late(self) -> None:
        """Interrupt the job that runs if it has taken longer than it may."""
        with self._lock:
            job = self._job
            if job is None or job.limit_s is None:
                return
            if monotonic() - self._started > job.limit_s:
                self._interrupt(QueryTooLong(job.limit_s))

    def stop(self, reason: D1Error) -> None:
        """Interrupt the job that runs, and answer those that wait with `reason`."""
        with self._lock:
            self._ending = reason
            if self._job is not None:
                self._interrupt(reason)

    def join(self) -> None:
        """Wait until the thread has ended and its connection is closed."""
        self._thread.join()

    def _opened(self) -> Connection:
        """Return the connection, opened for the first job.

        Raises:
            D1Error: the lane is ending, or the file cannot be opened.
        """
        if self._ending is not None:
            raise self._ending
        if self._connection is None:
            self._connection = self._open()
            self._connection.stopped = lambda: self._stopped
        return self._connection

    def _interrupt(self, reason: D1Error) -> None:
        self._stopped = reason
        if self._connection is not None:
            self._connection.interrupt()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not job.done.cancelled():
                self._run(job)
        if self._connection is not None:
            self._connection.close()

    def _run(self, job: Job) -> None:
        with self._lock:
            self._job, self._started, self._stopped = job, monotonic(), None
        error: BaseException | None = None
        result: Any = None
        try:
            result = job.call(self._opened())
        except BaseException as caught:  # noqa: BLE001 - it is the caller's
            error = caught
        finally:
            with self._lock:
                self._job = None
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_settle, job.done, result, error)


def _settle(
    done: "asyncio.Future[Any]", result: object, error: BaseException | None
) -> None:
    if done.done():  # its caller has gone
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)
