"""Calls of tools: Workers AI gives `{name, arguments}`, OpenAI has an envelope."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec


def tool_calls(calls: Sequence[Any], answer_id: str) -> list[dict[str, Any]]:
    """Return `calls` in OpenAI's form, with ids that are unique to the answer."""
    return [_one(call, f"call_{answer_id[-20:]}{n}") for n, call in enumerate(calls)]


def _one(call: Mapping[str, Any], new_id: str) -> dict[str, Any]:
    function = call.get("function", call)
    return {
        "id": call.get("id") or new_id,
        "type": "function",
        "function": {
            "name": function.get("name"),
            "arguments": _text(function.get("arguments")),
        },
    }


def _text(arguments: object) -> str:
    """Return the arguments as the JSON text that OpenAI's clients parse."""
    if isinstance(arguments, str):
        return arguments
    return msgspec.json.encode({} if arguments is None else arguments).decode()
