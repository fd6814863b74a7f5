"""The inputs and outputs of each task as JSON Schema, for clients that ask."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, TypeAlias

import msgspec

from selfedge.bindings.ai.tasks import TASKS

Schema: TypeAlias = Mapping[str, Any]

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_ANYTHING: Schema = {"type": "object"}


def _object(**fields: Schema) -> Schema:
    return {"type": "object", "properties": fields}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_LABELS = _list(_object(label=_TEXT, score=_NUMBER))
_IMAGE: Schema = {"type": "string", "format": "binary", "contentType": "image/png"}
_AUDIO: Schema = {"type": "string", "format": "binary", "contentType": "audio/mpeg"}

_OUTPUTS: Mapping[str, Schema] = {
    "text-generation": _object(
        response={"oneOf": [_TEXT, _ANYTHING]},
        tool_calls=_list(_object(name=_TEXT, arguments=_ANYTHING)),
        usage=_object(
            prompt_tokens=_NUMBER, completion_tokens=_NUMBER, total_tokens=_NUMBER
        ),
    ),
    "text-embeddings": _object(
        shape=_list(_NUMBER), data=_list(_list(_NUMBER)), pooling=_TEXT
    ),
    "text-classification": _LABELS,
    "image-classification": _LABELS,
    "object-detection": _list(
        _object(
            label=_TEXT,
            score=_NUMBER,
            box=_object(xmin=_NUMBER, ymin=_NUMBER, xmax=_NUMBER, ymax=_NUMBER),
        )
    ),
    "rerank": _object(response=_list(_object(id=_NUMBER, score=_NUMBER))),
    "translation": _object(translated_text=_TEXT),
    "summarization": _object(summary=_TEXT),
    "image-to-text": _object(description=_TEXT),
    "automatic-speech-recognition": _object(
        text=_TEXT,
        word_count=_NUMBER,
        words=_list(_object(word=_TEXT, start=_NUMBER, end=_NUMBER)),
        vtt=_TEXT,
    ),
    "text-to-speech": _AUDIO,
    "text-to-image": _IMAGE,
}


_BINARY: Schema = {
    "description": "bytes, as an array of numbers or as base64",
    "oneOf": [_list(_NUMBER), _TEXT],
}
_BYTES: Mapping[str, str] = {
    "automatic-speech-recognition": "audio",
    "image-classification": "image",
    "image-to-text": "image",
    "object-detection": "image",
}
"""The inputs that are no plain values, and in no struct."""


def schemas(task: str) -> Mapping[str, Schema]:
    """Return `{input, output}`; a task that is not served has no known inputs."""
    return {"input": _input(task), "output": _OUTPUTS.get(task, _ANYTHING)}


def _input(task: str) -> Schema:
    if task not in TASKS:
        return _ANYTHING
    # Each task's file names the struct of its inputs so.
    inputs = getattr(import_module(TASKS[task].__module__), "Inputs", None)
    own, parts = _struct(inputs) if inputs else ({"type": "object"}, {})
    if name := _BYTES.get(task):
        own = {
            **own,
            "properties": {name: _BINARY, **own.get("properties", {})},
            "required": [name, *own.get("required", ())],
        }
    return {**own, "$defs": parts} if parts else own


def _struct(inputs: type) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schema of a struct, and of those that it refers to."""
    (reference,), parts = msgspec.json.schema_components([inputs])
    own = parts.pop(reference["$ref"].rpartition("/")[2])
    del own["title"], own["description"]  # our names, of no use to a client
    return own, parts
