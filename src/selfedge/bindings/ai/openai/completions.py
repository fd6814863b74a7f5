"""`/completions`: a bare text that is continued, without any chat template."""

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

KIND = "text_completion"
PROMPTS_MAX = 16
"""Ours: each is a call of its own."""

_REFUSED = {
    "suffix": "put all of the text into prompt",
    "logprobs": "leave it out",
    "echo": "put prompt before the answer yourself",
}


class CompletionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters that are honoured or refused; others are ignored."""

    model: ModelId
    prompt: str | Annotated[list[Any], Meta(min_length=1, max_length=PROMPTS_MAX)]
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    stop: Stop | None = None
    n: int = 1
    best_of: int = 1
    suffix: str | None = None
    logprobs: int | None = None
    echo: bool | None = None


def inputs(asked: CompletionRequest) -> Sequence[dict[str, object]]:
    """Return the task's inputs, for each prompt.

    Raises:
        BadInput: the request wants what no model here does.
    """
    refuse(asked, _REFUSED)
    for name in ("n", "best_of"):
        if getattr(asked, name) != 1:
            raise BadInput(f"{name}: only 1 is supported; ask again for another answer")
    prompts = [asked.prompt] if isinstance(asked.prompt, str) else asked.prompt
    if not all(isinstance(prompt, str) for prompt in prompts):
        raise BadInput("prompt: give text; numbers of tokens are not supported")
    if asked.stream and len(prompts) > 1:
        raise BadInput("prompt: only one can be streamed")
    return [{**_settings(asked), "prompt": prompt} for prompt in prompts]


def _settings(asked: CompletionRequest) -> dict[str, object]:
    return set_only(
        {
            "raw": True,
            "stream": asked.stream or None,
            "max_tokens": asked.max_tokens,
            "temperature": asked.temperature,
            "top_p": asked.top_p,
            "seed": native_seed(asked.seed),
            "frequency_penalty": asked.frequency_penalty,
            "presence_penalty": asked.presence_penalty,
            "stop": asked.stop or None,
        }
    )


def whole(values: Sequence[object], asked: CompletionRequest, head: Head) -> Json:
    """Return the answer to a client that does not stream."""
    found = [native(value) for value in values]
    choices = [
        _choice(
            n,
            str(value.get("response") or ""),
            finish_reason(value.get("usage"), asked.max_tokens, tools=False),
        )
        for n, value in enumerate(found)
    ]
    usages = [value.get("usage") or {} for value in found]
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    total = {name: sum(usage.get(name, 0) for usage in usages) for name in names}
    return head.object(KIND, choices, usage=total)


async def pieces(
    events: AsyncGenerator[object, None], asked: CompletionRequest, head: Head
) -> AsyncGenerator[object, None]:
    """Yield the chunks of a stream, as the task's events come."""
    usage: Json | None = None
    more = {"usage": None} if asked.stream_options.include_usage else {}
    async with aclosing(events):
        async for event in events:
            found = native(event)
            usage = found.get("usage") or usage
            if text := found.get("response"):
                yield head.object(KIND, [_choice(0, str(text), None)], **more)
    reason = finish_reason(usage, asked.max_tokens, tools=False)
    yield head.object(KIND, [_choice(0, "", reason)], **more)
    if asked.stream_options.include_usage:
        yield head.object(KIND, [], usage=usage)


def _choice(index: int, text: str, reason: str | None) -> Json:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": reason}
