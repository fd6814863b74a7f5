"""Text generation: a chat or a bare text in, pieces of text out."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

Finish: TypeAlias = Literal["stop", "length", "tool_calls"]


class ToolCall(msgspec.Struct, frozen=True, kw_only=True, tag="tool-call"):
    """The model wants `name` called; `arguments` are JSON."""

    id: str
    name: str
    arguments: str


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A function that the model may ask for; `parameters` are a JSON schema."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = {}


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One turn of a chat."""

    role: str
    content: str
    tool_calls: Sequence[ToolCall] = ()  # of the assistant
    tool_call_id: str | None = None  # of a tool's answer
    name: str | None = None


class GenerateText(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="generate-text"
):
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
    stop: Sequence[str] = ()  # none of them is part of the text
    schema: Mapping[str, Any] | None = None  # the text is JSON that fulfils it
    tools: Sequence[Tool] = ()
    tool_choice: str = "auto"  # or "none", "required", "=name"


class Text(msgspec.Struct, frozen=True, tag="text"):
    """A piece of generated text; many follow one another."""

    text: str


class Usage(msgspec.Struct, frozen=True, kw_only=True, tag="usage"):
    """The last part of generated text."""

    prompt_tokens: int
    completion_tokens: int
    finish: Finish = "stop"
