"""Text generation: a prompt or a chat → text, whole or token by token."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from selfedge.bindings.ai import limits
from selfedge.bindings.ai.errors import BadInput, InferenceFailed, LoraUnsupported
from selfedge.bindings.ai.jobs.text_generation import (
    GenerateText,
    Message,
    Text,
    Usage,
)
from selfedge.bindings.ai.tasks.contract import Asked, Parts, Prepared
from selfedge.bindings.ai.tasks.inputs import check, no_file

SYSTEM_PROMPT = "You are a helpful assistant"
"""For chats without one: the templates of small models add a worse one."""

Prompt: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=limits.PROMPT_MAX_CHARS)
]
Tokens: TypeAlias = Annotated[int, Meta(ge=1)]
Temperature: TypeAlias = Annotated[float, Meta(ge=0, le=limits.TEMPERATURE_MAX)]
TopP: TypeAlias = Annotated[float, Meta(ge=0, le=limits.TOP_P_MAX)]
TopK: TypeAlias = Annotated[int, Meta(ge=1, le=limits.TOP_K_MAX)]
Seed: TypeAlias = Annotated[int, Meta(ge=1, le=limits.SEED_MAX)]
Repetition: TypeAlias = Annotated[float, Meta(ge=0, le=limits.REPETITION_PENALTY_MAX)]
Penalty: TypeAlias = Annotated[
    float, Meta(ge=-limits.PENALTY_MAX, le=limits.PENALTY_MAX)
]


class ContentPart(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a turn."""

    type: str
    text: str = ""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One message, as a Worker writes it."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | Sequence[ContentPart]


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """The documented inputs; others are ignored."""

    prompt: Prompt | UnsetType = UNSET
    messages: Annotated[Sequence[Turn], Meta(min_length=1)] | UnsetType = UNSET
    raw: bool = False
    stream: bool = False
    max_tokens: Tokens = limits.MAX_TOKENS_DEFAULT
    temperature: Temperature = limits.TEMPERATURE_DEFAULT
    top_p: TopP | None = None
    top_k: TopK | None = None
    seed: Seed | None = None
    repetition_penalty: Repetition | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    lora: str | None = None
    tools: Sequence[Any] = ()
    functions: Sequence[Any] = ()
    response_format: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class TextGeneration:
    """A checked call."""

    job: GenerateText
    streams: bool

    async def collect(self, parts: Parts) -> object:
        """Return `{response, usage}`."""
        text: list[str] = []
        usage: Usage | None = None
        async with aclosing(parts):
            async for part in parts:
                if isinstance(part, Text):
                    text.append(part.text)
                elif isinstance(part, Usage):
                    usage = part
        if usage is None:
            raise InferenceFailed("The model stopped without saying why.")
        return {"response": "".join(text), "usage": _usage(usage)}

    async def events(self, parts: Parts) -> AsyncGenerator[object, None]:
        """Yield `{response}` for each piece, and `{response: "", usage}` at the end."""
        async with aclosing(parts):
            async for part in parts:
                if isinstance(part, Text):
                    yield {"response": part.text}
                elif isinstance(part, Usage):
                    yield {"response": "", "usage": _usage(part)}


def prepare(asked: Asked) -> Prepared:
    """Check the inputs of one call.

    Raises:
        BadInput: they are wrong.
        LoraUnsupported: they name an adapter.
    """
    no_file(asked)
    given = check(asked.inputs, Inputs)
    if given.lora is not None:
        raise LoraUnsupported(
            f"The model {asked.model.id} does not support LoRA inference"
        )
    for name in ("tools", "functions", "response_format"):
        if getattr(given, name):
            raise BadInput(f"{name}: not supported by this version of selfedge")
    if given.raw and given.prompt is UNSET:
        raise BadInput("raw: needs prompt; messages always go through the template")
    raw = given.prompt if given.raw and given.prompt is not UNSET else None
    job = GenerateText(
        messages=() if raw else _chat(given),
        prompt=raw,
        max_tokens=given.max_tokens,
        temperature=given.temperature,
        top_p=given.top_p,
        top_k=given.top_k,
        seed=given.seed,
        repetition_penalty=given.repetition_penalty,
        frequency_penalty=given.frequency_penalty,
        presence_penalty=given.presence_penalty,
    )
    return TextGeneration(job, given.stream)


def _chat(given: Inputs) -> Sequence[Message]:
    if given.messages is not UNSET:
        turns = [
            Message(role=turn.role, content=_text(turn.content, place))
            for place, turn in enumerate(given.messages)
        ]
    elif given.prompt is not UNSET:
        turns = [Message(role="user", content=given.prompt)]
    else:
        raise BadInput("required properties at '/' are 'prompt' or 'messages'")
    if any(turn.role == "system" for turn in turns):
        return turns
    return [Message(role="system", content=SYSTEM_PROMPT), *turns]


def _text(content: str | Sequence[ContentPart], place: int) -> str:
    if isinstance(content, str):
        return content
    for part in content:
        if part.type != "text":
            raise BadInput(
                f"messages[{place}].content: this model takes parts of type text, "
                f"not {part.type}"
            )
    return "\n".join(part.text for part in content)


def _usage(usage: Usage) -> Mapping[str, int]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
