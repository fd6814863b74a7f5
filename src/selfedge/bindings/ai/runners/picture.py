"""Bytes of a picture that a stranger sent → upright RGB, within bounds."""

import io
import warnings
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

from selfedge.bindings.ai.errors import BadInput

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
PIXELS_MAX = 40_000_000
"""Ours: what a picture may unpack to, read from its header before it does."""

SIDE_MAX = 16_384


def decode(data: bytes, field: str = "image") -> Any:
    """Return the picture (the first frame, turned as its EXIF says) as RGB.

    Raises:
        BadInput: it is damaged, too large, or of another format.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd metadata, and sizes: checked
            return _decode(data, field)
    except UnidentifiedImageError as error:
        raise BadInput(
            f"{field}: is not a picture that can be read ({', '.join(FORMATS)})"
        ) from error
    except Image.DecompressionBombError as error:
        raise _too_large(field) from error
    except (OSError, ValueError, SyntaxError, EOFError, OverflowError) as error:
        raise BadInput(f"{field}: the picture is damaged: {error}") from error


def _decode(data: bytes, field: str) -> Any:
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        width, height = picture.size
        if width * height > PIXELS_MAX or max(width, height) > SIDE_MAX:
            raise _too_large(field, f"{width} x {height}")
        picture.load()
        return _flat(ImageOps.exif_transpose(picture))


def _too_large(field: str, size: str = "it") -> BadInput:
    return BadInput(
        f"{field}: {size} is too large: at most {PIXELS_MAX // 10**6} million pixels, "
        f"and {SIDE_MAX} on a side"
    )


def _flat(picture: Any) -> Any:
    """Return RGB: what is transparent shows white, 16 bits become 8."""
    if picture.mode.startswith("I"):
        picture = picture.convert("I").point(lambda value: value / 257).convert("L")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        ground = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(ground, picture)
    return picture.convert("RGB")
