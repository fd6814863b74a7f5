"""The turns of a chat and its tools, in each form that Workers AI takes."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from selfedge.bindings.ai.errors import BadInput
from selfedge.bindings.ai.jobs.text_generation import Message, Tool, ToolCall

SYSTEM_PROMPT = "You are a helpful assistant"
"""For chats without one: the templates of small models add a worse one."""

FunctionName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]
Schema: TypeAlias = dict[str, Any]


class ContentPart(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a turn."""

    type: str
    text: str = ""


class CalledFunction(msgspec.Struct, frozen=True, kw_only=True):
    """What the assistant called; OpenAI's arguments are JSON in a string."""

    name: FunctionName
    arguments: str | dict[str, Any] = {}


class PastCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call that the assistant made: flat, or in OpenAI's envelope."""

    id: str | None = None
    name: FunctionName | None = None
    arguments: str | dict[str, Any] | None = None
    function: CalledFunction | None = None


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One message, as a Worker writes it."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | Sequence[ContentPart] | None = None
    tool_calls: Sequence[PastCall] | None = None
    tool_call_id: str | None = None
    name: str | None = None


class OfferedFunction(msgspec.Struct, frozen=True, kw_only=True):
    """What the model may call."""

    name: FunctionName
    description: str | None = None
    parameters: Schema | None = None


class OfferedTool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool: flat, or in OpenAI's envelope."""

    type: Literal["function"] = "function"
    function: OfferedFunction | None = None
    name: FunctionName | None = None
    description: str | None = None
    parameters: Schema | None = None


class ChosenFunction(msgspec.Struct, frozen=True, kw_only=True):
    """The name of a tool."""

    name: FunctionName


class ChosenTool(msgspec.Struct, frozen=True, kw_only=True):
    """The tool that must be called."""

    type: Literal["function"] = "function"
    function: ChosenFunction


Choice: TypeAlias = Literal["auto", "none", "required", "any"] | ChosenTool


def messages(turns: Sequence[Turn]) -> Sequence[Message]:
    """Return the chat, with a system message.

    Raises:
        BadInput: a turn has no text, or a part that is none.
    """
    found = [_message(turn, place) for place, turn in enumerate(turns)]
    if any(turn.role == "system" for turn in found):
        return found
    return [Message(role="system", content=SYSTEM_PROMPT), *found]


def tools(offered: Sequence[OfferedTool]) -> Sequence[Tool]:
    """Return the tools that the model may call.

    Raises:
        BadInput: one has no name, two have the same, or its parameters are no object.
    """
    found = tuple(_tool(tool, f"tools[{place}]") for place, tool in enumerate(offered))
    names = [tool.name for tool in found]
    for name in names:
        if names.count(name) > 1:
            raise BadInput(f"tools: the name {name} is there twice")
    return found


def choice(wanted: Choice, offered: Sequence[Tool]) -> str:
    """Return what the runner gets: "auto", "none", "required" or "=name".

    Raises:
        BadInput: there is no such tool.
    """
    if isinstance(wanted, str):
        return "required" if wanted == "any" else wanted
    name = wanted.function.name
    if name not in {tool.name for tool in offered}:
        raise BadInput(f"tool_choice: there is no tool {name}")
    return f"={name}"


def _message(turn: Turn, place: int) -> Message:
    where = f"messages[{place}]"
    calls = tuple(
        _call(call, f"{where}.tool_calls[{number}]", f"call_{place}_{number}")
        for number, call in enumerate(turn.tool_calls or ())
    )
    if turn.content is None and not calls:
        raise BadInput(f"{where}.content: is required")
    return Message(
        role="system" if turn.role == "developer" else turn.role,
        content=_text(turn.content or "", where),
        tool_calls=calls,
        tool_call_id=turn.tool_call_id,
        name=turn.name,
    )


def _call(call: PastCall, where: str, new_id: str) -> ToolCall:
    name = call.function.name if call.function else call.name
    arguments = call.function.arguments if call.function else call.arguments
    if name is None:
        raise BadInput(f"{where}: needs name, or function.name")
    return ToolCall(
        id=call.id or new_id,
        name=name,
        arguments=_json(arguments, f"{where}.arguments"),
    )


def _json(arguments: str | Mapping[str, Any] | None, where: str) -> str:
    if not isinstance(arguments, str):
        return json.dumps(arguments or {}, ensure_ascii=False)
    try:
        json.loads(arguments or "{}")
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{where}: is no JSON") from error
    return arguments or "{}"


def _text(content: str | Sequence[ContentPart], where: str) -> str:
    if isinstance(content, str):
        return content
    for part in content:
        if part.type != "text":
            raise BadInput(
                f"{where}.content: this model takes parts of type text, not {part.type}"
            )
    return "\n".join(part.text for part in content)


def _tool(tool: OfferedTool, where: str) -> Tool:
    found: OfferedFunction | OfferedTool = tool.function or tool
    if found.name is None:
        raise BadInput(f"{where}: needs name, or function.name")
    parameters = found.parameters or {}
    if parameters.get("type", "object") != "object":
        raise BadInput(f"{where}.parameters.type: must be object")
    return Tool(
        name=found.name, description=found.description or "", parameters=parameters
    )
