"""What a runner is asked, what it answers, and how it is loaded.

Jobs and parts cross from the service to the model host as MessagePack, so they
hold plain values. A new kind of task adds a job and its parts here.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import msgspec

Pooling: TypeAlias = Literal["mean", "cls"]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of a chat."""

    role: str
    content: str


class GenerateText(msgspec.Struct, frozen=True, kw_only=True, tag="generate-text"):
    """Continue a chat, or (`prompt`) a bare text without any chat template."""

    messages: Sequence[Message] = ()
    prompt: str | None = None
    max_tokens: int
    temperature: float
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    repetition_penalty: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None


class EmbedTexts(msgspec.Struct, frozen=True, kw_only=True, tag="embed-texts"):
    """Turn each text into a unit vector."""

    texts: Sequence[str]
    pooling: Pooling


class Text(msgspec.Struct, frozen=True, tag="text"):
    """A piece of generated text; many follow one another."""

    text: str


class Usage(msgspec.Struct, frozen=True, kw_only=True, tag="usage"):
    """The last part of generated text."""

    prompt_tokens: int
    completion_tokens: int


class Vectors(msgspec.Struct, frozen=True, tag="vectors"):
    """The only part of embedded texts, in their order."""

    vectors: Sequence[Sequence[float]]


Job: TypeAlias = GenerateText | EmbedTexts
Part: TypeAlias = Text | Usage | Vectors


class Runner(Protocol):
    """One model in memory."""

    def run(self, job: Job) -> AsyncGenerator[Part, None]:
        """Yield the answer's parts as they come; closing the generator cancels.

        Several jobs may run at once, and the event loop is never held up.

        Raises:
            AiError: the job does not fit the model, or the library failed.
        """

    async def close(self) -> None:
        """Give the memory back; no job is running."""


Load: TypeAlias = Callable[[Path, int], Runner]
"""Read the model in a folder, for that many threads; blocks."""
