"""What must hold before an index is written."""

from collections.abc import Sequence

from selfedge.bindings.vectorize.engine.contract import Vector
from selfedge.bindings.vectorize.errors import IndexFailed, WrongWidth

ROOM_BYTES = 128 * 2**20  # the engine's files have holes, which writes fill later


def check_widths(vectors: Sequence[Vector], expected: int) -> None:
    """Refuse vectors that are not as wide as the index.

    Raises:
        WrongWidth: one is not.
    """
    for vector in vectors:
        if len(vector.values) != expected:
            got = len(vector.values)
            raise WrongWidth(vector.id, expected=str(expected), got=got)


def check_room(name: str, free_bytes: int) -> None:
    """Keep away from a full disk: there, the engine's process is killed.

    Raises:
        IndexFailed: the disk is nearly full.
    """
    if free_bytes < ROOM_BYTES:
        raise IndexFailed(
            name,
            f"needs {ROOM_BYTES // 2**20} MiB of free disk,"
            f" and {free_bytes // 2**20} MiB are left; nothing was written",
        )
