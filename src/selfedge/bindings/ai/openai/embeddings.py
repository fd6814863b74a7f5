"""`/embeddings`: texts → vectors, as numbers or as base64."""

import base64
from array import array
from collections.abc import Sequence
from sys import byteorder
from typing import Any, Literal

import msgspec

from selfedge.bindings.ai.errors import BadInput
from selfedge.bindings.ai.openai.answers import Json, native
from selfedge.bindings.ai.openai.requests import ModelId


class EmbeddingsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters that are honoured or refused; others are ignored."""

    model: ModelId
    input: str | list[Any]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None


def inputs(asked: EmbeddingsRequest) -> dict[str, object]:
    """Return the task's inputs.

    Raises:
        BadInput: the texts are no texts.
    """
    texts = [asked.input] if isinstance(asked.input, str) else asked.input
    if not texts:
        raise BadInput("input: is empty; give at least one text")
    if not all(isinstance(text, str) for text in texts):
        raise BadInput("input: give text; numbers of tokens are not supported")
    return {"text": texts}


def whole(value: object, asked: EmbeddingsRequest, tokens: int) -> Json:
    """Return OpenAI's list of vectors; `tokens` were read for them.

    Raises:
        BadInput: the vectors have another width than the one that is wanted.
    """
    vectors: Sequence[Sequence[float]] = native(value)["data"]
    width = len(vectors[0])
    if asked.dimensions not in (None, width):
        raise BadInput(f"dimensions: {asked.model} gives {width}, and no other width")
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": n, "embedding": _encoded(vector, asked)}
            for n, vector in enumerate(vectors)
        ],
        "model": asked.model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _encoded(
    vector: Sequence[float], asked: EmbeddingsRequest
) -> str | Sequence[float]:
    """Base64 is of little-endian 32-bit floats."""
    if asked.encoding_format == "float":
        return vector
    numbers = array("f", vector)
    if byteorder == "big":
        numbers.byteswap()
    return base64.b64encode(numbers.tobytes()).decode()
