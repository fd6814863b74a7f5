"""Pictures: one in, labels out; or a description in, a picture out."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

PictureFormat: TypeAlias = Literal["png", "jpeg"]


class ClassifyPicture(
    msgspec.Struct, frozen=True, kw_only=True, tag="classify-picture"
):
    """Say what a picture shows: the `top` best guesses."""

    picture: bytes
    top: int


class DetectObjects(msgspec.Struct, frozen=True, kw_only=True, tag="detect-objects"):
    """Find the things in a picture that the model is at least this sure of."""

    picture: bytes
    threshold: float


class DrawPicture(msgspec.Struct, frozen=True, kw_only=True, tag="draw-picture"):
    """Draw what is described; a size is in pixels.

    Without a size it is the model's own, without `seed` chance decides. It starts
    from `picture`, if there is one: the higher `strength`, the less is left of it.
    """

    prompt: str
    negative_prompt: str
    steps: int
    guidance: float
    width: int | None = None
    height: int | None = None
    seed: int | None = None
    format: PictureFormat = "png"
    picture: bytes | None = None
    strength: float = 1


class Label(msgspec.Struct, frozen=True):
    """One guess, 0 to 1."""

    label: str
    score: float


class Labels(msgspec.Struct, frozen=True, tag="labels"):
    """The only part of a classification, best first."""

    labels: Sequence[Label]


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """In pixels of the picture."""

    xmin: int
    ymin: int
    xmax: int
    ymax: int


class Found(msgspec.Struct, frozen=True):
    """One thing in a picture."""

    label: str
    score: float
    box: Box


class Objects(msgspec.Struct, frozen=True, tag="objects"):
    """The only part of a detection, best first."""

    objects: Sequence[Found]


class Drawn(msgspec.Struct, frozen=True, tag="drawn"):
    """The only part of a drawing: a picture file."""

    content: bytes
