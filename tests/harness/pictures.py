"""Pictures that a classifier knows, drawn on the spot."""

import io
import math
from typing import Any

from PIL import Image, ImageDraw


def clock() -> Any:
    """Draw an analog clock."""
    picture = Image.new("RGB", (400, 400), (200, 180, 150))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((40, 40, 360, 360), fill="white", outline=(40, 40, 40), width=14)
    for hour in range(12):
        angle = hour * math.pi / 6
        x, y = 200 + 130 * math.sin(angle), 200 - 130 * math.cos(angle)
        draw.text((x - 8, y - 10), str(hour or 12), fill="black", font_size=28)
    draw.line((200, 200, 200, 90), fill="black", width=8)
    draw.line((200, 200, 270, 240), fill="black", width=10)
    return picture


def crossword() -> Any:
    """Draw a crossword puzzle."""
    picture = Image.new("RGB", (300, 300), "white")
    draw = ImageDraw.Draw(picture)
    for x in range(10):
        for y in range(10):
            dark = (x * 7 + y * 3) % 5 == 0
            box = (x * 30, y * 30, x * 30 + 30, y * 30 + 30)
            fill = "black" if dark else "white"
            draw.rectangle(box, outline="black", width=2, fill=fill)
            if not dark:
                place = (x * 30 + 3, y * 30 + 2)
                draw.text(place, str((x + y * 3) % 30), fill="black")
    return picture


def encoded(picture: Any, kind: str = "PNG", **options: Any) -> bytes:
    """Return the picture as a file."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()
