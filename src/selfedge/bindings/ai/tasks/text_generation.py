"""Text generation: a prompt or a chat → text, whole or token by token."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from selfedge.bindings.ai import limits
from selfedge.bindings.ai.errors import (
    BadInput,
    InferenceFailed,
    JsonModeFailed,
    LoraUnsupported,
    StreamedJson,
)
from selfedge.bindings.ai.jobs.text_generation import (
    GenerateText,
    Message,
    Text,
    ToolCall,
    Usage,
)
from selfedge.bindings.ai.tasks import chat
from selfedge.bindings.ai.tasks.contract import Asked, Parts, Prepared
from selfedge.bindings.ai.tasks.inputs import check, no_file

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
StopText: TypeAlias = Annotated[str, Meta(min_length=1)]
Stop: TypeAlias = (
    StopText | Annotated[Sequence[StopText], Meta(max_length=limits.STOPS_MAX)]
)


class ResponseFormat(msgspec.Struct, frozen=True, kw_only=True):
    """JSON mode."""

    type: Literal["json_object", "json_schema", "text"]
    json_schema: dict[str, Any] | None = None


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """The documented inputs; others are ignored."""

    prompt: Prompt | UnsetType = UNSET
    messages: Annotated[Sequence[chat.Turn], Meta(min_length=1)] | UnsetType = UNSET
    raw: bool = False
    stream: bool = False
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    temperature: Temperature = limits.TEMPERATURE_DEFAULT
    top_p: TopP | None = None
    top_k: TopK | None = None
    seed: Seed | None = None
    repetition_penalty: Repetition | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    stop: Stop = ()
    lora: str | None = None
    tools: Sequence[chat.OfferedTool] = ()
    tool_choice: chat.Choice = "auto"
    functions: Sequence[Any] = ()
    response_format: ResponseFormat | None = None

    @property
    def token_limit(self) -> int:
        """The newer name wins."""
        chosen = self.max_completion_tokens or self.max_tokens
        return chosen or limits.MAX_TOKENS_DEFAULT


@dataclass(slots=True)
class _Heard:
    """What has come of an answer."""

    text: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class TextGeneration:
    """A checked call."""

    job: GenerateText
    streams: bool

    async def collect(self, parts: Parts) -> object:
        """Return `{response, tool_calls?, usage}`.

        Raises:
            JsonModeFailed: the answer ended before its JSON was complete.
        """
        heard = _Heard()
        async with aclosing(parts):
            async for part in parts:
                if isinstance(part, Text):
                    heard.text.append(part.text)
                elif isinstance(part, ToolCall):
                    heard.calls.append(part)
                elif isinstance(part, Usage):
                    heard.usage = part
        if heard.usage is None:
            raise InferenceFailed("The model stopped without saying why.")
        return self._value(heard, heard.usage)

    def _value(self, heard: _Heard, usage: Usage) -> Mapping[str, object]:
        text = "".join(heard.text)
        response: object = text
        if heard.calls:
            response = text or None
        elif self.job.schema is not None:
            response = _parsed(text, usage)
        called = {"tool_calls": _calls(heard.calls)} if heard.calls else {}
        return {"response": response, **called, "usage": _usage(usage)}

    async def events(self, parts: Parts) -> AsyncGenerator[object, None]:
        """Yield `{response}` for each piece, and `{response: "", usage}` at the end."""
        async with aclosing(parts):
            async for part in parts:
                if isinstance(part, Text):
                    yield {"response": part.text}
                elif isinstance(part, ToolCall):
                    yield {"response": "", "tool_calls": _calls([part])}
                elif isinstance(part, Usage):
                    yield {"response": "", "usage": _usage(part)}


def prepare(asked: Asked) -> Prepared:
    """Check the inputs of one call.

    Raises:
        BadInput: they are wrong.
        LoraUnsupported: they name an adapter.
        StreamedJson: JSON mode is to stream.
    """
    no_file(asked)
    given = check(asked.inputs, Inputs)
    if given.lora is not None:
        raise LoraUnsupported(
            f"The model {asked.model.id} does not support LoRA inference"
        )
    if given.functions:
        raise BadInput("functions: not supported; give the same as tools")
    if given.stream and _wants_json(given):
        raise StreamedJson("JSON Schema mode is not supported with stream mode.")
    raw = _raw(given)
    tools = () if raw else chat.tools(given.tools)
    job = GenerateText(
        messages=() if raw else _chat(given),
        prompt=raw,
        max_tokens=given.token_limit,
        temperature=given.temperature,
        top_p=given.top_p,
        top_k=given.top_k,
        seed=given.seed,
        repetition_penalty=given.repetition_penalty,
        frequency_penalty=given.frequency_penalty,
        presence_penalty=given.presence_penalty,
        stop=[given.stop] if isinstance(given.stop, str) else given.stop,
        schema=_schema(given),
        tools=tools,
        tool_choice=chat.choice(given.tool_choice, tools),
    )
    return TextGeneration(job, given.stream)


def _raw(given: Inputs) -> str | None:
    """Return the prompt that bypasses the chat template."""
    if not given.raw:
        return None
    if given.prompt is UNSET:
        raise BadInput("raw: needs prompt; messages always go through the template")
    if given.tools:
        raise BadInput("raw: tools need the chat template; leave raw out")
    return given.prompt


def _chat(given: Inputs) -> Sequence[Message]:
    if given.messages is not UNSET:
        return chat.messages(given.messages)
    if given.prompt is not UNSET:
        return chat.messages([chat.Turn(role="user", content=given.prompt)])
    raise BadInput("required properties at '/' are 'prompt' or 'messages'")


def _wants_json(given: Inputs) -> bool:
    return given.response_format is not None and given.response_format.type != "text"


def _schema(given: Inputs) -> Mapping[str, Any] | None:
    """Return the schema that the answer must fulfil."""
    wanted = given.response_format
    if wanted is None or wanted.type == "text":
        return None
    if given.tools:
        raise BadInput("response_format: JSON mode does not go together with tools")
    if wanted.type == "json_object" and not wanted.json_schema:
        return {"type": "object"}
    if not wanted.json_schema:
        raise BadInput("response_format.json_schema: must be a JSON schema")
    enveloped = wanted.json_schema.get("schema")  # OpenAI's {name, schema}
    found = enveloped if isinstance(enveloped, dict) else wanted.json_schema
    try:
        json.dumps(found)
    except (ValueError, RecursionError) as error:
        raise BadInput("response_format.json_schema: is too deep") from error
    return found


def _parsed(text: str, usage: Usage) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        cut = (
            f": the answer was cut off after {usage.completion_tokens} tokens; "
            "raise max_tokens"
            if usage.finish == "length"
            else ": the model gave something else"
        )
        raise JsonModeFailed(f"JSON Mode couldn't be met{cut}") from error


def _calls(calls: Sequence[ToolCall]) -> Sequence[Mapping[str, object]]:
    return [
        {"name": call.name, "arguments": _arguments(call.arguments)} for call in calls
    ]


def _arguments(text: str) -> object:
    """Return the object; a model without grammar may write something else."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _usage(usage: Usage) -> Mapping[str, int]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
