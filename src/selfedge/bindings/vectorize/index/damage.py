"""A shard that cannot be read is moved aside, and the index says so from then on."""

from contextlib import suppress
from pathlib import Path

import msgspec

from selfedge.bindings.vectorize.engine.contract import EngineFailure
from selfedge.bindings.vectorize.errors import IndexFailed
from selfedge.bindings.vectorize.index.files import read_state, write_state

ASIDE = "damaged"


def is_shown_by(cause: Exception) -> bool:
    """Whether the files are at fault, not the disk, the memory or who else has them."""
    if isinstance(cause, EngineFailure):
        return not cause.passing
    return not isinstance(cause, OSError)


def found(name: str, folder: Path, cause: Exception) -> IndexFailed:
    """Move the shard of `folder` aside, if it is not yet; return what to answer."""
    if isinstance(cause, IndexFailed):
        return cause
    reason = str(cause)
    with suppress(OSError, msgspec.MsgspecError):
        state = read_state(folder / "index.json")
        shard = folder / (state.shard if state else "shard")
        if state and shard.exists() and not (folder / ASIDE).exists():
            shard.rename(folder / ASIDE)
            changed = msgspec.structs.replace(state, damage=reason)
            write_state(folder / "index.json", changed)
    return told(name, folder, reason)


def told(name: str, folder: Path, reason: str) -> IndexFailed:
    """Return what a damaged index answers."""
    return IndexFailed(
        name,
        f"is damaged: {reason}; its files are kept in {folder}."
        f" Stop selfedge and restore that folder from a backup, or delete the index"
        f" (selfedge vectorize delete {name}) and fill it anew",
    )
