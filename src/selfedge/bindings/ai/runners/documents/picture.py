"""Pictures → what they say of themselves; nothing here looks at them."""

import io

from PIL import Image
from PIL.ExifTags import TAGS

from selfedge.bindings.ai.jobs.documents import Document, DocumentOptions

_TOLD = frozenset(
    {"Artist", "Copyright", "DateTime", "ImageDescription", "Make", "Model", "Software"}
)


def picture(document: Document, _options: DocumentOptions) -> str:
    """Return format, size and the descriptive part of the EXIF data."""
    # Only the heading is read: the picture is never unpacked.
    with Image.open(
        io.BytesIO(document.content), formats=("GIF", "JPEG", "PNG", "WEBP")
    ) as image:
        lines = {
            "Format": image.format or "",
            "Width": f"{image.width} px",
            "Height": f"{image.height} px",
            "Mode": image.mode,
        }
        for tag, value in image.getexif().items():
            name = TAGS.get(tag, "")
            if name in _TOLD:
                lines[name] = " ".join(str(value).split())
    told = [f"- {name}: {value}" for name, value in lines.items()]
    return "\n".join([f"# {document.name}", "", "## Metadata", *told])
