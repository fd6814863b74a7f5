"""Summarization: a long text → a short one."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from selfedge.bindings.ai import limits
from selfedge.bindings.ai.errors import InferenceFailed
from selfedge.bindings.ai.jobs import Job
from selfedge.bindings.ai.jobs.rewriting import RewriteText, Rewritten
from selfedge.bindings.ai.jobs.text_generation import GenerateText, Message, Text
from selfedge.bindings.ai.tasks.contract import Asked, Parts, Prepared
from selfedge.bindings.ai.tasks.inputs import check, no_file

INSTRUCTION = "Summarize the user's text in a few short sentences."
"""For a chat model that stands in."""

CHAT_TOKENS_MAX = 256
"""What a chat model may write: it does not stop by itself as reliably."""


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """The documented inputs; others are ignored."""

    input_text: Annotated[str, Meta(min_length=1, max_length=limits.TEXT_MAX_CHARS)]
    max_length: Annotated[int, Meta(ge=1, le=limits.REWRITE_TOKENS_MAX)] = (
        limits.SUMMARY_TOKENS_DEFAULT
    )


@dataclass(frozen=True, slots=True)
class Summarization:
    """A checked call."""

    job: Job
    streams: bool = False

    async def collect(self, parts: Parts) -> object:
        """Return `{summary}`."""
        async with aclosing(parts):
            found = [part async for part in parts if isinstance(part, Text | Rewritten)]
        if not found:
            raise InferenceFailed("The model gave no summary.")
        return {"summary": "".join(part.text for part in found).strip()}

    async def events(self, parts: Parts) -> AsyncGenerator[object, None]:
        """Yield the whole answer as one event."""
        yield await self.collect(parts)


def prepare(asked: Asked) -> Prepared:
    """Check the inputs of one call.

    Raises:
        BadInput: they are wrong.
    """
    no_file(asked)
    given = check(asked.inputs, Inputs)
    if asked.weights.task != "text-generation":
        return Summarization(
            RewriteText(text=given.input_text, max_tokens=given.max_length)
        )
    turns = [
        Message(role="system", content=INSTRUCTION),
        Message(role="user", content=given.input_text),
    ]
    tokens = min(given.max_length, CHAT_TOKENS_MAX)
    return Summarization(
        GenerateText(messages=turns, max_tokens=tokens, temperature=0.0)
    )
