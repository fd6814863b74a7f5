"""Text to image: a description → a picture file, or its base64 in JSON."""

import base64
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from selfedge.bindings.ai import limits
from selfedge.bindings.ai.errors import BadInput, InferenceFailed, LoraUnsupported
from selfedge.bindings.ai.jobs.pictures import Drawn, DrawPicture
from selfedge.bindings.ai.tasks.contract import Asked, File, Parts, Prepared
from selfedge.bindings.ai.tasks.inputs import check
from selfedge.bindings.ai.tasks.pictures import picture

IN_JSON = ("@cf/black-forest-labs/flux-1-schnell", "@cf/leonardo/lucid-origin")
"""Models that answer `{image: base64}` of a JPEG; all others send a PNG."""

UNGUIDED = ("lightning", "turbo", "flux-1-schnell")
"""Parts of names of models that were distilled to draw without guidance."""

Prompt: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=limits.IMAGE_PROMPT_MAX_CHARS)
]
Negative: TypeAlias = Annotated[str, Meta(max_length=limits.IMAGE_PROMPT_MAX_CHARS)]
Side: TypeAlias = Annotated[
    int, Meta(ge=limits.IMAGE_SIDE_MIN, le=limits.IMAGE_SIDE_MAX)
]
Steps: TypeAlias = Annotated[int, Meta(ge=1, le=limits.IMAGE_STEPS_MAX)]
Guidance: TypeAlias = Annotated[float, Meta(ge=0, le=limits.GUIDANCE_MAX)]
Seed: TypeAlias = Annotated[int, Meta(ge=0, le=limits.SEED_MAX)]
Strength: TypeAlias = Annotated[float, Meta(ge=0, le=1)]


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """The documented inputs; others are ignored."""

    prompt: Prompt | UnsetType = UNSET
    negative_prompt: Negative = ""
    width: Side | None = None
    height: Side | None = None
    num_steps: Steps | None = None
    steps: Steps | None = None  # what flux calls it
    guidance: Guidance | None = None
    seed: Seed | None = None
    strength: Strength = 1
    image: Any = None
    image_b64: Any = None
    mask: Any = None
    lora: Any = None
    lora_weights: Any = None


@dataclass(frozen=True, slots=True)
class TextToImage:
    """A checked call."""

    job: DrawPicture
    in_json: bool
    streams: bool = False

    async def collect(self, parts: Parts) -> object:
        """Return the file, or `{image}`."""
        async with aclosing(parts):
            found = [part.content async for part in parts if isinstance(part, Drawn)]
        if not found:
            raise InferenceFailed("The model drew nothing.")
        if self.in_json:
            return {"image": base64.b64encode(found[0]).decode()}
        return File(found[0], f"image/{self.job.format}")

    async def events(self, parts: Parts) -> AsyncGenerator[object, None]:
        """Yield the whole answer as one event."""
        yield await self.collect(parts)


def prepare(asked: Asked) -> Prepared:
    """Check the inputs of one call.

    Raises:
        BadInput: they are wrong.
        LoraUnsupported: they name an adapter.
    """
    model_id = asked.model.id
    given = check(asked.inputs, Inputs)
    if given.prompt is UNSET:
        raise BadInput("required properties at '/' are 'prompt'")
    if given.lora is not None or given.lora_weights is not None:
        raise LoraUnsupported(f"The model {model_id} does not support LoRA inference")
    if given.mask is not None:
        raise BadInput("mask: not supported; a picture is changed as a whole")
    in_json = model_id in IN_JSON
    job = DrawPicture(
        prompt=given.prompt,
        negative_prompt=given.negative_prompt,
        steps=_steps(given, model_id),
        guidance=_guidance(given, model_id),
        width=given.width,
        height=given.height,
        seed=given.seed,
        format="jpeg" if in_json else "png",
        picture=_start(asked, given),
        strength=given.strength,
    )
    return TextToImage(job, in_json)


def _start(asked: Asked, given: Inputs) -> bytes | None:
    """Return the picture to start from, if there is one."""
    if asked.file or given.image is not None:
        return picture(asked, "image")
    return None if given.image_b64 is None else picture(asked, "image_b64")


def _steps(given: Inputs, model_id: str) -> int:
    asked = given.num_steps if given.steps is None else given.steps
    if "flux" not in model_id:
        return asked or limits.IMAGE_STEPS_MAX
    if (asked or 0) > limits.FLUX_STEPS_MAX:
        raise BadInput(f"steps: expected int <= {limits.FLUX_STEPS_MAX}")
    return asked or limits.FLUX_STEPS_DEFAULT


def _guidance(given: Inputs, model_id: str) -> float:
    if given.guidance is not None:
        return given.guidance
    return 0 if any(mark in model_id for mark in UNGUIDED) else limits.GUIDANCE_DEFAULT
