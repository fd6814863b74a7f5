"""Text generation: a chat or a bare text in, pieces of text out."""

from collections.abc import Sequence

import msgspec


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


class Text(msgspec.Struct, frozen=True, tag="text"):
    """A piece of generated text; many follow one another."""

    text: str


class Usage(msgspec.Struct, frozen=True, kw_only=True, tag="usage"):
    """The last part of generated text."""

    prompt_tokens: int
    completion_tokens: int
