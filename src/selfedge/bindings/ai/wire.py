"""The engine's AI client on the wire: requests → typed, answers and errors → bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from selfedge.bindings.ai.errors import AiError, IncompleteRequest
from selfedge.bindings.ai.tasks import numbers
from selfedge.bindings.ai.tasks.contract import File

MODEL_HEADER = "cf-consn-model-id"
SERVED_HEADER = "cf-ai-model-served"
REQUEST_ID_HEADER = "cf-ai-req-id"

JSON_TYPE = "application/json"
"""Exactly so: with a charset, the engine's client hands out a stream."""

STREAM_TYPE = "text/event-stream"
END_OF_STREAM = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One `env.AI.run`."""

    model: str
    inputs: object
    options: Mapping[str, object]
    file: File | None = None  # a stream that was among the inputs


class _Body(msgspec.Struct, frozen=True):
    inputs: msgspec.Raw = msgspec.Raw(b"null")
    options: dict[str, Any] | None = None


def read_run(headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Run:
    """Return what is asked for.

    Raises:
        AiError: no model is named, or the body cannot be read.
    """
    model = headers.get(MODEL_HEADER, "").rpartition(":")[2]
    if not model:
        raise IncompleteRequest(
            f"Request is missing headers or body: {MODEL_HEADER} (no model was named)"
        )
    if "userInputs" in query:
        return _streamed(model, headers, query, body)
    try:
        found = msgspec.json.decode(body, type=_Body)
        inputs = numbers.decode(bytes(found.inputs))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise IncompleteRequest(
            f"Request is missing headers or body: the body is not the expected JSON "
            f"({error})"
        ) from error
    return Run(model=model, inputs=inputs, options=found.options or {})


def _streamed(
    model: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes
) -> Run:
    """The inputs but one are in the query, and so is each option."""
    try:
        inputs = msgspec.json.decode(query["userInputs"])
    except (msgspec.DecodeError, RecursionError) as error:
        raise IncompleteRequest(
            f"Request is missing headers or body: userInputs is no JSON ({error})"
        ) from error
    known = {"version", "userInputs"}
    return Run(
        model=model,
        inputs=inputs,
        options={key: value for key, value in query.items() if key not in known},
        file=File(body, headers.get("content-type", "")),
    )


def read_json(body: bytes) -> object:
    """Return a body that is JSON as a whole.

    Raises:
        IncompleteRequest: it is none.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise IncompleteRequest(
            f"Request is missing headers or body: the body is no JSON ({error})"
        ) from error


def json_body(value: object) -> bytes:
    """Return `value` as JSON."""
    return msgspec.json.encode(value)


def event(value: object) -> bytes:
    """Return one server-sent event."""
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def error_value(error: AiError) -> Mapping[str, object]:
    """Return what the client turns into `<internalCode>: <description>`."""
    return {
        "internalCode": error.internal_code,
        "name": "AiError",
        "description": str(error),
    }


def envelope_error(error: AiError) -> Mapping[str, object]:
    """Return the same for the endpoints that answer with an envelope."""
    return {
        "success": False,
        "errors": [{"code": error.internal_code, "message": str(error)}],
        "result": None,
    }
