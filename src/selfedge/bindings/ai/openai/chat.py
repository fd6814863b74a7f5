"""`/chat/completions`: OpenAI's chats ↔ the inputs and answers of text generation."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from selfedge.bindings.ai.errors import BadInput
from selfedge.bindings.ai.openai.answers import Head, Json, finish_reason, native
from selfedge.bindings.ai.openai.requests import (
    ModelId,
    Stop,
    StreamOptions,
    native_seed,
    refuse,
    set_only,
)
from selfedge.bindings.ai.openai.tool_calls import tool_calls

WHOLE = "chat.completion"
PIECE = "chat.completion.chunk"

_REFUSED = {
    "functions": "use tools",
    "function_call": "use tool_choice",
    "logprobs": "leave it out",
    "audio": "ask a text-to-speech model with ai/run",
}


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters that are honoured or refused; others are ignored."""

    model: ModelId
    messages: Annotated[list[dict[str, Any]], Meta(min_length=1)]
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    stop: Stop | None = None
    n: int = 1
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    functions: Any = None
    function_call: Any = None
    logprobs: bool | None = None
    audio: Any = None

    @property
    def token_limit(self) -> int | None:
        """The newer name wins."""
        if self.max_completion_tokens is not None:
            return self.max_completion_tokens
        return self.max_tokens


def inputs(asked: ChatRequest) -> dict[str, object]:
    """Return the task's inputs.

    Raises:
        BadInput: the request wants what no model here does.
    """
    refuse(asked, _REFUSED)
    if asked.n != 1:
        raise BadInput("n: only 1 is supported; ask again for another answer")
    return set_only(
        {
            "messages": [_message(message) for message in asked.messages],
            "stream": asked.stream or None,
            "max_tokens": asked.token_limit,
            "temperature": asked.temperature,
            "top_p": asked.top_p,
            "seed": native_seed(asked.seed),
            "frequency_penalty": asked.frequency_penalty,
            "presence_penalty": asked.presence_penalty,
            "stop": asked.stop or None,
            "tools": asked.tools or None,
            "tool_choice": asked.tool_choice if asked.tools else None,
            "response_format": _response_format(asked.response_format),
        }
    )


def _message(message: Json) -> Json:
    """Workers AI knows no "developer", and wants a content even beside tool calls."""
    role = "system" if message.get("role") == "developer" else message.get("role")
    content = message.get("content")
    empty = content is None and message.get("tool_calls")
    return {**message, "role": role, "content": "" if empty else content}


def _response_format(wanted: Json | None) -> Json | None:
    """Take the schema out of OpenAI's envelope; plain text is the default."""
    if wanted is None or wanted.get("type") == "text":
        return None
    schema = wanted.get("json_schema")
    if isinstance(schema, dict) and isinstance(schema.get("schema"), dict):
        return {**wanted, "json_schema": schema["schema"]}
    return wanted


def whole(value: object, asked: ChatRequest, head: Head) -> Json:
    """Return the answer to a client that does not stream."""
    found = native(value)
    calls = tool_calls(found.get("tool_calls") or (), head.id)
    text = _text(found.get("response"))
    message: dict[str, object] = {
        "role": "assistant",
        "content": None if calls and not text else text,
        "refusal": None,
    }
    if calls:
        message["tool_calls"] = calls
    usage = found.get("usage")
    reason = finish_reason(usage, asked.token_limit, tools=bool(calls))
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": reason,
    }
    return head.object(WHOLE, [choice], usage=usage)


async def pieces(
    events: AsyncGenerator[object, None], asked: ChatRequest, head: Head
) -> AsyncGenerator[object, None]:
    """Yield the chunks of a stream, as the task's events come."""
    usage: Json | None = None
    calls: list[dict[str, Any]] = []
    yield _piece(head, asked, {"role": "assistant", "content": ""})
    async with aclosing(events):
        async for event in events:
            found = native(event)
            usage = found.get("usage") or usage
            if text := _text(found.get("response")):
                yield _piece(head, asked, {"content": text})
            if new := found.get("tool_calls"):
                start = len(calls)
                calls += tool_calls(new, f"{head.id}{start}")
                yield _piece(head, asked, {"tool_calls": _numbered(calls, start)})
    reason = finish_reason(usage, asked.token_limit, tools=bool(calls))
    yield _piece(head, asked, {}, reason)
    if asked.stream_options.include_usage:
        yield head.object(PIECE, [], usage=usage)


def _piece(
    head: Head, asked: ChatRequest, delta: Json, reason: str | None = None
) -> Json:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    more = {"usage": None} if asked.stream_options.include_usage else {}
    return head.object(PIECE, [choice], **more)


def _numbered(calls: list[dict[str, Any]], start: int) -> Sequence[Json]:
    return [{"index": n, **call} for n, call in enumerate(calls)][start:]


def _text(response: object) -> str:
    """Return the text; in JSON mode it is an object, and OpenAI's clients parse."""
    if response is None:
        return ""
    if isinstance(response, str):
        return response
    return msgspec.json.encode(response).decode()
