"""Where a value stands in the text of a wrangler file; used on error paths only."""

from pathlib import Path

from selfedge.errors import ManifestError, Position
from selfedge.manifest.document import position_at, start_of, text_of
from selfedge.manifest.model import Pointer


def locate(path: Path, pointer: Pointer) -> Position:
    """Return where the value at `pointer` stands in `path`, or its nearest parent."""
    try:
        text = text_of(path)
        offsets = _offsets(path, text)
    except (ManifestError, RecursionError):
        return start_of(path)
    while pointer and pointer not in offsets:
        pointer = pointer[:-1]
    return position_at(path, text, offsets.get(pointer, 0))


def _offsets(path: Path, text: str) -> dict[Pointer, int]:
    if path.suffix == ".toml":
        from selfedge.manifest.places_toml import offsets  # noqa: PLC0415

        return offsets(text)
    from selfedge.manifest.places_json import offsets as json_offsets  # noqa: PLC0415

    return json_offsets(text)
