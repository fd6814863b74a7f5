"""An error as OpenAI's clients read it."""

import re
from collections.abc import Mapping

from selfedge.bindings.ai.errors import (
    AiError,
    BadInput,
    ContextExceeded,
    NoSuchModel,
)

_FIELD = re.compile(r"^AiError: Bad input: ([A-Za-z_][\w.\[\]]*):")
_TYPES = {401: "authentication_error", 429: "rate_limit_error"}


def error_body(error: AiError) -> Mapping[str, object]:
    """Return `{error: {message, type, code, param}}`."""
    code, param = str(error.internal_code), None
    status = http_status(error)
    if isinstance(error, BadInput) and (found := _FIELD.match(str(error))):
        param = found[1]
    elif isinstance(error, NoSuchModel):
        code, param = "model_not_found", "model"
    elif isinstance(error, ContextExceeded):
        code, param = "context_length_exceeded", "messages"
    default = "server_error" if status >= 500 else "invalid_request_error"
    return {
        "error": {
            "message": str(error),
            "type": _TYPES.get(status, default),
            "code": code,
            "param": param,
        }
    }


def http_status(error: AiError) -> int:
    """Return the status by which OpenAI's clients choose the class of an exception."""
    if isinstance(error, NoSuchModel):
        return 404
    if isinstance(error, ContextExceeded):
        return 400
    return error.status
