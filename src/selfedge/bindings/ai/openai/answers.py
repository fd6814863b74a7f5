"""What the answers of chats and completions have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from selfedge.bindings.ai.errors import InferenceFailed
from selfedge.bindings.ai.limits import MAX_TOKENS_DEFAULT

Json: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What every piece of one answer repeats."""

    id: str
    created: int  # seconds since 1970
    model: str  # as the client named it

    def object(self, kind: str, choices: list[Json], **more: object) -> Json:
        """Return one object that OpenAI's client reads."""
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "choices": choices,
            **more,
        }


def native(value: object) -> Json:
    """Return a whole answer of the text generation task.

    Raises:
        InferenceFailed: it is none.
    """
    if not isinstance(value, Mapping):
        raise InferenceFailed("This model's answer is no text.")
    return value


def finish_reason(usage: Json | None, max_tokens: int | None, *, tools: bool) -> str:
    """Say why the text ends."""
    if tools:
        return "tool_calls"
    limit = MAX_TOKENS_DEFAULT if max_tokens is None else max_tokens
    if usage and usage.get("completion_tokens", 0) >= limit:
        return "length"
    return "stop"
