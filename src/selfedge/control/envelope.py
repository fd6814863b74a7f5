"""The envelope that every answer of the API comes in."""

import msgspec

from selfedge.binding import Page


def success(answer: object) -> bytes:
    """Return the envelope of a result, or of a page of results."""
    if isinstance(answer, Page):
        return _encoded(
            result=answer.items, success=True, error=None, info=dict(answer.info)
        )
    return _encoded(result=answer, success=True, error=None, info=None)


def failure(number: int, message: str) -> bytes:
    """Return the envelope of one error."""
    shown = message.encode(errors="replace").decode()  # a URL may hold any byte
    error = {"code": number, "message": shown}
    return _encoded(result=None, success=False, error=error, info=None)


def _encoded(
    *, result: object, success: bool, error: object, info: dict[str, object] | None
) -> bytes:
    envelope: dict[str, object] = {
        "result": result,
        "success": success,
        "errors": [] if error is None else [error],
        "messages": [],
    }
    if info is not None:
        envelope["result_info"] = info
    return msgspec.json.encode(envelope)
