"""An error as OpenAI's clients read it."""

import re
from collections.abc import Mapping

from selfedge.bindings.ai.errors import AiError, BadInput, NoSuchModel

_FIELD = re.compile(r"^AiError: Bad input: ([A-Za-z_][\w.\[\]]*):")
_KINDS = {401: "authentication_error", 429: "rate_limit_error"}


def error_body(error: AiError) -> Mapping[str, object]:
    """Return `{error: {message, type, code, param}}`."""
    code: object = error.internal_code
    param = None
    if isinstance(error, BadInput) and (found := _FIELD.match(str(error))):
        param = found[1]
    if isinstance(error, NoSuchModel):
        code, param = "model_not_found", "model"
    return {
        "error": {
            "message": str(error),
            "type": kind(error.status),
            "code": code,
            "param": param,
        }
    }


def kind(status: int) -> str:
    """Return OpenAI's type of an error with this HTTP status."""
    return _KINDS.get(
        status, "server_error" if status >= 500 else "invalid_request_error"
    )
