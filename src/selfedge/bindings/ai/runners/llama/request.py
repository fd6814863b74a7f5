"""A job → the request that llama.cpp takes."""

from collections.abc import Mapping
from typing import TypeAlias

from selfedge.bindings.ai.jobs.text_generation import GenerateText, Message, Tool

Body: TypeAlias = dict[str, object]

_LARGEST = 2**31 - 1
_RANDOM_SEED = 2**32 - 1


def body(job: GenerateText) -> Body:
    """Return the request that llama.cpp takes for `job`."""
    options: Body = {
        "max_tokens": min(job.max_tokens, _LARGEST),
        "temperature": job.temperature,
        "top_p": job.top_p,
        "top_k": job.top_k,
        "seed": None if job.seed is None else job.seed % _RANDOM_SEED,
        "repeat_penalty": job.repetition_penalty or None,  # 0 is "none"
        "frequency_penalty": job.frequency_penalty,
        "presence_penalty": job.presence_penalty,
        "json_schema": job.schema,
        "stop": job.stop or None,
        "stream": True,
        "return_progress": True,  # a prompt that is read can be cancelled
        "stream_options": {"include_usage": True},
    }
    given = {name: value for name, value in options.items() if value is not None}
    if job.prompt is not None:
        return {**given, "prompt": job.prompt}
    given["messages"] = [message(turn) for turn in job.messages]
    if job.tools:
        given["tools"] = [tool(found) for found in job.tools]
        given["tool_choice"] = choice(job.tool_choice)
    return given


def message(turn: Message) -> Mapping[str, object]:
    """Return a turn in OpenAI's form."""
    found: Body = {"role": turn.role, "content": turn.content}
    if turn.tool_calls:
        found["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in turn.tool_calls
        ]
    if turn.tool_call_id is not None:
        found["tool_call_id"] = turn.tool_call_id
    if turn.name is not None:
        found["name"] = turn.name
    return found


def tool(found: Tool) -> Mapping[str, object]:
    """Return a tool in OpenAI's form."""
    parameters = found.parameters or {"type": "object", "properties": {}}
    function = {"name": found.name, "description": found.description}
    return {"type": "function", "function": {**function, "parameters": parameters}}


def choice(wanted: str) -> object:
    """Return a choice in OpenAI's form."""
    if wanted.startswith("="):
        return {"type": "function", "function": {"name": wanted[1:]}}
    return wanted
