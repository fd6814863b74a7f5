"""What a task does: inputs of a Worker → a job → the answer that the Worker gets."""

from collections.abc import AsyncGenerator, Callable
from typing import Protocol, TypeAlias

from selfedge.bindings.ai.catalogue import Model
from selfedge.bindings.ai.runners.contract import Job, Part
from selfedge.bindings.ai.weights.table import Weights

Parts: TypeAlias = AsyncGenerator[Part, None]


class Prepared(Protocol):
    """One call, its inputs checked."""

    @property
    def job(self) -> Job:
        """What the runner is to do."""

    @property
    def streams(self) -> bool:
        """Whether the Worker wants `events` rather than `collect`."""

    async def collect(self, parts: Parts) -> object:
        """Return the whole answer, ready for JSON."""

    def events(self, parts: Parts) -> AsyncGenerator[object, None]:
        """Yield the answer piece by piece, each ready for JSON."""


Task: TypeAlias = Callable[[object, Model, Weights], Prepared]
"""Check the inputs for a model that these weights serve.

Raises:
    BadInput: they are wrong; nothing was loaded.
"""
