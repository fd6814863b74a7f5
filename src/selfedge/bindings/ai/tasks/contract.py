"""What a task does: inputs of a Worker → a job → the answer that the Worker gets."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from selfedge.bindings.ai.catalogue import Model
from selfedge.bindings.ai.jobs import Job, Part
from selfedge.bindings.ai.weights.table import Weights

Parts: TypeAlias = AsyncGenerator[Part, None]


@dataclass(frozen=True, slots=True)
class File:
    """Bytes of a type: a stream among the inputs, or an answer that is no JSON."""

    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A whole answer, and the tokens read for it, which the answer does not tell."""

    value: object
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call, unchecked: `file` is a ReadableStream that was among the inputs.

    The engine does not say under which name the stream was given.
    """

    model: Model
    weights: Weights  # that serve it; `model.weights` is another when they stand in
    inputs: object
    file: File | None = None


class Prepared(Protocol):
    """One call, its inputs checked."""

    @property
    def job(self) -> Job:
        """What the runner is to do."""

    @property
    def streams(self) -> bool:
        """Whether the Worker wants `events` rather than `collect`."""

    async def collect(self, parts: Parts) -> object:
        """Return the whole answer: a `File`, or what becomes JSON; or `Counted`."""

    def events(self, parts: Parts) -> AsyncGenerator[object, None]:
        """Yield the answer piece by piece, each ready for JSON."""


Task: TypeAlias = Callable[[Asked], Prepared]
"""Check the inputs; `inputs.check` and `inputs.binary` do most of it.

Raises:
    AiError: they are wrong; nothing was loaded.
"""
