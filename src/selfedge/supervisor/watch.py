"""Tells when files of a project have changed."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Set
from pathlib import Path

from watchfiles import awatch

_DEBOUNCE_MS = 60  # an editor's save is often several events
_STEP_MS = 10
_IGNORED = {"node_modules", ".git", ".selfedge"}

Print = dict[Path, tuple[int, int] | None]
"""What a set of files looked like: modification time and size, None: absent."""


def fingerprint(files: Iterable[Path]) -> Print:
    """Return what `files` look like now."""
    return {file: _look(file) for file in files}


async def change(files: Set[Path], seen: Print, anything: bool) -> None:  # noqa: FBT001
    """Return when one of `files` no longer looks as in `seen`.

    With `anything`, any change beside them counts: a file that was missing may
    have come.
    """
    folders = _folders(files)
    if anything:  # packages may be installed now
        folders |= {path for one in folders if (path := one / "node_modules").is_dir()}
    stop = asyncio.Event()
    async for paths in _events(folders, stop):
        if fingerprint(files) != seen or (anything and paths):
            return


async def _events(
    folders: Set[Path], stop: asyncio.Event
) -> AsyncIterator[frozenset[Path]]:
    yield frozenset()  # what changed before we looked
    async for changes in awatch(
        *folders,
        watch_filter=None,
        debounce=_DEBOUNCE_MS,
        step=_STEP_MS,
        stop_event=stop,
        recursive=False,
        ignore_permission_denied=True,
    ):
        yield frozenset(Path(path) for _, path in changes)


def _folders(files: Set[Path]) -> Set[Path]:
    """Return the folders of `files` that exist; packages are not watched."""
    return {
        file.parent
        for file in files
        if not _IGNORED & set(file.parts) and file.parent.is_dir()
    }


def _look(file: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(file)  # noqa: PTH116 - a thousand files a save
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
