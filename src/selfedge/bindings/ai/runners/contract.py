"""What a runner is: one library that computes, behind four verbs.

load    a module's `load(source, threads)` reads the weights and returns a `Runner`;
        it blocks, in a thread of the model host, and raises whatever goes wrong.
run     `run(job)` yields the answer's parts; a job of another kind is refused.
stream  is the same: parts go to the caller as they are yielded.
unload  `close()` gives the memory back; the host calls it when the budget is used up
        or nobody asked for a while, never while a job runs.
memory  is the host's business: it measures what loading added to the process.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeAlias

import msgspec

from selfedge.bindings.ai.jobs import Job, Part


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a model's weights are: a folder, a file, or (upstream) a URL."""

    location: str
    options: Mapping[str, str] = {}  # of the runner: `model` of an upstream server

    @property
    def path(self) -> Path:
        """The location, when it is a folder or a file."""
        return Path(self.location)


class Runner(Protocol):
    """One model in memory."""

    def run(self, job: Job) -> AsyncGenerator[Part, None]:
        """Yield the answer's parts as they come; closing the generator cancels.

        Several jobs may run at once, and the event loop is never held up: what blocks
        goes to a thread.

        Raises:
            AiError: the job does not fit the model, or the library failed.
        """

    async def close(self) -> None:
        """Give the memory back; no job is running."""


Load: TypeAlias = Callable[[Source, int], Runner]
"""Read the model at a source, for that many threads; blocks."""
