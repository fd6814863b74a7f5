"""A picture → the numbers that a model was trained on (`preprocessor_config.json`).

The keys are those of Hugging Face's image processors, because that file comes with
every exported model. What it leaves out is what ImageNet models mostly use.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import msgspec
import numpy as np
from msgspec import Meta
from PIL import Image

SIDE_MAX = 4096
Side: TypeAlias = Annotated[int, Meta(ge=1, le=SIDE_MAX)]
Three: TypeAlias = Annotated[Sequence[float], Meta(min_length=3, max_length=3)]
Sides: TypeAlias = (
    Side | Mapping[str, Side] | Annotated[Sequence[Side], Meta(max_length=2)]
)


class Preprocessing(msgspec.Struct, frozen=True, kw_only=True):
    """How a picture is cut, scaled and normalised."""

    do_resize: bool = True
    size: Sides = 224
    resample: Annotated[int, Meta(ge=0, le=5)] = 2
    crop_pct: Annotated[float, Meta(gt=0, le=1)] | None = None
    do_center_crop: bool = False
    crop_size: Sides = 224
    do_rescale: bool = True
    rescale_factor: float = 1 / 255
    do_normalize: bool = True
    image_mean: Three = (0.485, 0.456, 0.406)
    image_std: Three = (0.229, 0.224, 0.225)


def pixels(picture: Any, how: Preprocessing) -> Any:
    """Return [3, height, width], as 32-bit floats."""
    if how.do_resize:
        picture = picture.resize(
            _size(picture.size, how), Image.Resampling(how.resample)
        )
    if how.do_center_crop:
        picture = _cropped(picture, *_square(how.crop_size))
    values = np.asarray(picture, np.float32)
    if how.do_rescale:
        values = values * np.float32(how.rescale_factor)
    if how.do_normalize:
        mean = np.asarray(how.image_mean, np.float32)
        deviation = np.asarray(how.image_std, np.float32)
        values = (values - mean) / deviation
    return np.ascontiguousarray(values.transpose(2, 0, 1), np.float32)


def _size(size: tuple[int, int], how: Preprocessing) -> tuple[int, int]:
    width, height = size
    wanted = how.size
    if isinstance(wanted, int):
        wanted = {"shortest_edge": wanted} if how.do_center_crop else _square(wanted)
    if not isinstance(wanted, Mapping):
        return _square(wanted)
    if "shortest_edge" not in wanted:
        return _square(wanted)
    shortest = wanted["shortest_edge"] / (how.crop_pct or 1)
    scale = shortest / min(width, height)
    if longest := wanted.get("longest_edge"):
        scale = min(scale, longest / max(width, height))
    # A panorama may get a side of thousands, never of millions.
    scale = min(scale, SIDE_MAX / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _square(sides: Sides) -> tuple[int, int]:
    """Return (width, height)."""
    match sides:
        case int():
            return sides, sides
        case Mapping():
            height = sides.get("height") or sides.get("shortest_edge") or 224
            return sides.get("width") or height, height
        case _:
            return sides[-1], sides[0]


def _cropped(picture: Any, width: int, height: int) -> Any:
    """Return the middle; what lies outside the picture is black."""
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))
