"""Options of the command → inputs of a model."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from selfedge.errors import UsageError

_TEXT_NAMES = {
    "summarization": "input_text",
    "text-generation": "prompt",
    "text-to-image": "prompt",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the user gave; `json` is a JSON object with any further inputs."""

    words: str | None = None  # `text`, without its option
    prompt: str | None = None
    text: str | None = None
    image: Path | None = None
    audio: Path | None = None
    json: str | None = None


def inputs(given: Given, task: str) -> dict[str, object]:
    """Return the inputs; text is asked to stream, unless JSON mode forbids it.

    Raises:
        UsageError: a file cannot be read, or the JSON is no object.
    """
    found = _json(given.json) if given.json is not None else {}
    if given.prompt is not None:
        found["prompt"] = given.prompt
    text = given.words if given.text is None else given.text
    if text is not None:
        found[_TEXT_NAMES.get(task, "text")] = text
    if given.image is not None:
        found["image"] = _file(given.image)
    if given.audio is not None:
        found["audio"] = _file(given.audio)
    if task == "text-generation" and not found.get("response_format"):
        found.setdefault("stream", True)
    return found


def _json(text: str) -> dict[str, object]:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UsageError(f"--input is no JSON: {error}") from error
    if not isinstance(found, Mapping):
        raise UsageError('--input must be a JSON object, like {"max_tokens": 50}')
    return dict(found)


def _file(path: Path) -> str:
    try:
        return base64.b64encode(path.read_bytes()).decode()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
