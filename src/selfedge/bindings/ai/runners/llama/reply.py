"""What llama.cpp says, chunk by chunk → the parts of an answer."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from selfedge.bindings.ai.errors import (
    AiError,
    BadInput,
    ContextExceeded,
    InferenceFailed,
)
from selfedge.bindings.ai.jobs import Part
from selfedge.bindings.ai.jobs.text_generation import Finish, Text, ToolCall, Usage

Chunk: TypeAlias = Mapping[str, Any]

_BAD_REQUEST = 400


class Reader:
    """Reads one answer; `guided` text is a tool call, or an answer, as JSON."""

    def __init__(self, *, guided: bool = False) -> None:
        self._guided = guided
        self._written: list[str] = []
        self._calls: dict[int, dict[str, str]] = {}
        self._finish: Finish = "stop"

    def parts(self, chunk: Chunk) -> list[Part]:
        """Return what one chunk means.

        Raises:
            AiError: it is an error; the library reports errors as chunks.
        """
        if error := chunk.get("error"):
            raise failure(error)
        found: list[Part] = []
        for choice in chunk.get("choices", ()):
            found += self._choice(choice)
        if usage := chunk.get("usage"):
            found += self._ending(usage)
        return found

    def _choice(self, choice: Mapping[str, Any]) -> Iterator[Part]:
        delta = choice.get("delta", {})
        if choice.get("finish_reason") == "length":
            self._finish = "length"
        for piece in delta.get("tool_calls") or ():
            self._add(piece)
        text = choice.get("text") or delta.get("content")
        if text and self._guided:
            self._written.append(text)
        elif text:
            yield Text(text)

    def _add(self, piece: Mapping[str, Any]) -> None:
        function = piece.get("function", {})
        call = self._calls.setdefault(
            piece.get("index", 0), {"id": "", "name": "", "arguments": ""}
        )
        call["id"] += piece.get("id") or ""
        call["name"] += function.get("name") or ""
        call["arguments"] += function.get("arguments") or ""

    def _ending(self, usage: Mapping[str, Any]) -> Iterator[Part]:
        if self._guided:
            yield from self._decided()
        for place, call in sorted(self._calls.items()):
            yield ToolCall(
                id=call["id"] or f"call_{place}",
                name=call["name"],
                arguments=call["arguments"] or "{}",
            )
        yield Usage(
            prompt_tokens=usage["prompt_tokens"],
            completion_tokens=usage["completion_tokens"],
            finish="tool_calls" if self._calls else self._finish,
        )

    def _decided(self) -> Iterator[Part]:
        """Read what the grammar of `tools.guided` let the model write."""
        try:
            found = json.loads("".join(self._written))
        except ValueError:
            return  # cut off by max_tokens: no call was made
        if "name" in found:
            arguments = json.dumps(found["arguments"], ensure_ascii=False)
            self._calls[0] = {"id": "", "name": found["name"], "arguments": arguments}
        elif found["response"]:
            yield Text(found["response"])


def failure(error: Mapping[str, Any]) -> AiError:
    """Return the error of ours for one of llama.cpp's."""
    text = error.get("message", "unknown error")
    if error.get("type") == "exceed_context_size_error":
        return ContextExceeded(
            "The estimated number of input and maximum output tokens "
            f"({error['n_prompt_tokens']}) exceeded this model context window limit "
            f"({error['n_ctx']})"
        )
    if error.get("code") == _BAD_REQUEST:
        return BadInput(text)
    return InferenceFailed(f"llama.cpp: {text}")
