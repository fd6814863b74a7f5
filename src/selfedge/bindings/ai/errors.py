"""What Workers AI answers when it does not answer.

AiError
├── the caller's (4xx)
│   ├── BadInput            5006  an input is missing, of the wrong type or range
│   ├── StreamedJson        5023  JSON mode together with stream
│   ├── JsonModeFailed      5024  the answer is no JSON that fulfils the schema
│   ├── IncompleteRequest   3003  no model is named, or the body is no JSON
│   ├── NoSuchModel         5007  the id is unknown, or cannot be served here
│   ├── NoSuchLog           7002
│   ├── LoraUnsupported     5005
│   ├── ContextExceeded     5021  the prompt does not fit the model's context
│   ├── RequestTooLarge     3006
│   ├── OverCapacity        3040  too many calls of the model wait; try again
│   └── Aborted             3008  the client went away
└── ours
    └── InferenceFailed     3043  the model host died or its library failed

Codes and statuses are Cloudflare's. A Worker sees `<code>: <what>`.
"""

from typing import ClassVar

_BAD_INPUT = "AiError: Bad input: "


class AiError(Exception):
    """Root of the tree; the text names the thing, the limit and the remedy."""

    internal_code: ClassVar[int] = 3043
    status: ClassVar[int] = 500


class BadInput(AiError):
    """An input is missing, of the wrong type, or out of its range."""

    internal_code = 5006
    status = 400

    def __init__(self, problem: str) -> None:
        super().__init__(f"{_BAD_INPUT}{problem}")
        self.problem = problem


class StreamedJson(AiError):
    """JSON mode does not stream."""

    internal_code = 5023
    status = 400


class JsonModeFailed(AiError):
    """The answer is no JSON, or does not fulfil the schema."""

    internal_code = 5024
    status = 400


class IncompleteRequest(AiError):
    """The request has no model id, or its body cannot be read."""

    internal_code = 3003
    status = 400


class NoSuchModel(AiError):
    """The model is unknown, or cannot be served on this machine."""

    internal_code = 5007
    status = 400


class NoSuchLog(AiError):
    """A gateway keeps no such log (any more)."""

    internal_code = 7002
    status = 404


class LoraUnsupported(AiError):
    """No model takes LoRA adapters here."""

    internal_code = 5005
    status = 405


class ContextExceeded(AiError):
    """The prompt does not fit the context of the model that serves it."""

    internal_code = 5021
    status = 413


class RequestTooLarge(AiError):
    """The body is larger than the limit."""

    internal_code = 3006
    status = 413


class Aborted(AiError):
    """The client went away before the answer was complete."""

    internal_code = 3008
    status = 408


class OverCapacity(AiError):
    """Too many calls of the model are under way; a later one may work."""

    internal_code = 3040
    status = 429


class InferenceFailed(AiError):
    """The model host died, or the library under it failed; a new call may work."""


_BY_CODE: dict[int, type[AiError]] = {
    kind.internal_code: kind
    for kind in (ContextExceeded, InferenceFailed, NoSuchModel, OverCapacity)
}


def from_code(internal_code: int, text: str) -> AiError:
    """Return the error that a runner raised, as it came from the model host."""
    if internal_code == BadInput.internal_code:
        return BadInput(text.removeprefix(_BAD_INPUT))
    return _BY_CODE.get(internal_code, InferenceFailed)(text)
