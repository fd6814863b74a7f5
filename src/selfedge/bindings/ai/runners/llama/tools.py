"""Tool calls of models whose chat template knows of none.

The tools are described in the system message, and a grammar leaves the model no other
choice than a call, or (unless a call is required) an answer, as JSON. Once a tool has
answered, the model writes freely: a small model would call again and again.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from selfedge.bindings.ai.jobs.text_generation import GenerateText, Message, Tool

_INTRODUCTION = (
    "You can call these functions:\n{tools}\n"
    'To call one, answer with {{"name": its name, "arguments": its arguments}}. '
    'Otherwise answer with {{"response": your words}}.'
)


def guided(job: GenerateText) -> GenerateText:
    """Return `job` as a model understands it that has never heard of tools."""
    turns = [_plain(turn) for turn in job.messages]
    tools = _offered(job)
    if not tools:
        return replace(job, messages=turns, tools=())
    introduction = _INTRODUCTION.format(
        tools="\n".join(json.dumps(_described(tool)) for tool in tools)
    )
    return replace(
        job,
        messages=_with_system(turns, introduction),
        tools=(),
        schema=_schema(tools, free=job.tool_choice == "auto"),
    )


def _offered(job: GenerateText) -> Sequence[Tool]:
    if job.tool_choice.startswith("="):
        return [tool for tool in job.tools if tool.name == job.tool_choice[1:]]
    answered = bool(job.messages) and job.messages[-1].role == "tool"
    if job.tool_choice == "none" or (job.tool_choice == "auto" and answered):
        return ()
    return job.tools


def _plain(turn: Message) -> Message:
    """Say with words what templates without tools cannot: calls and their results."""
    if turn.role == "tool":
        name = f" {turn.name}" if turn.name else ""
        return Message(
            role="user", content=f"The function{name} returned: {turn.content}"
        )
    if not turn.tool_calls:
        return Message(role=turn.role, content=turn.content)
    # In plain words: a small model that sees JSON in its own turn writes it again.
    names = " and ".join(call.name for call in turn.tool_calls)
    words = f"{turn.content}\n" if turn.content else ""
    return Message(role=turn.role, content=f"{words}I will look that up with {names}.")


def _with_system(turns: Sequence[Message], text: str) -> Sequence[Message]:
    first, *rest = turns
    if first.role != "system":
        return [Message(role="system", content=text), *turns]
    return [Message(role="system", content=f"{first.content}\n\n{text}"), *rest]


def _described(tool: Tool) -> Mapping[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }


def _schema(tools: Sequence[Tool], *, free: bool) -> Mapping[str, Any]:
    calls = [
        _object(name={"const": tool.name}, arguments=_arguments(tool, place))
        for place, tool in enumerate(tools)
    ]
    answer = [_object(response={"type": "string"})] if free else []
    return {"anyOf": [*calls, *answer]}


def _arguments(tool: Tool, place: int) -> Mapping[str, Any]:
    moved = _moved(tool.parameters, f"#/anyOf/{place}/properties/arguments")
    return {"type": "object", **moved}


def _moved(schema: Any, to: str) -> Any:
    """Have references point to where their schema is now."""
    if isinstance(schema, list):
        return [_moved(inner, to) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _moved(inner, to) for key, inner in schema.items()}
    if isinstance(reference := found.get("$ref"), str) and reference.startswith("#"):
        found["$ref"] = to + reference[1:]
    return found


def _object(**properties: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
