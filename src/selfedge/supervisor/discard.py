"""Removes folders: at once for whoever looks for them, in time for the disk."""

import shutil
from pathlib import Path
from secrets import token_hex


def discard(folder: Path) -> None:
    """Remove a folder and all in it, if it is there.

    It is renamed first, so that a death in between leaves nothing under its name.

    Raises:
        OSError: it cannot be renamed; what cannot be removed then stays, unused.
    """
    aside = folder.with_name(f".{folder.name}.{token_hex(4)}")
    try:
        folder.rename(aside)
    except FileNotFoundError:
        return
    shutil.rmtree(aside, ignore_errors=True)
