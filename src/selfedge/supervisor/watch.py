"""Tells when files of a project have changed."""

import os
from collections.abc import AsyncIterator, Iterable, Set
from pathlib import Path

from watchfiles import awatch

_DEBOUNCE_MS = 60  # an editor's save is often several events
_STEP_MS = 10
_GLANCE_MS = 250
_IGNORED = {"node_modules", ".git", ".selfedge"}

Print = dict[Path, tuple[int, int] | None]
"""What a set of files looked like: modification time and size, None: absent."""


def fingerprint(files: Iterable[Path]) -> Print:
    """Return what `files` look like now."""
    return {file: _look(file) for file in files}


async def change(files: Set[Path], seen: Print, *, anything: bool) -> None:
    """Return when one of `files` no longer looks as in `seen`.

    With `anything`, any change beside them counts: what was missing may have come.
    `seen` then holds their folders too (`with_folders`).
    """
    folders = _folders(files)
    watched = with_folders(files) if anything else files
    async for _ in _glances(folders):
        if fingerprint(watched) != seen:
            return


def with_folders(files: Set[Path]) -> Set[Path]:
    """Return `files` and the folders in which they, or their packages, lie."""
    folders = _folders(files)
    return files | folders | {folder / "node_modules" for folder in folders}


async def _glances(folders: Set[Path]) -> AsyncIterator[None]:
    """Yield at each event, and now and then: an event before we watched is none."""
    yield
    async for _ in awatch(
        *folders,
        watch_filter=None,
        debounce=_DEBOUNCE_MS,
        step=_STEP_MS,
        rust_timeout=_GLANCE_MS,
        yield_on_timeout=True,
        recursive=False,
        ignore_permission_denied=True,
    ):
        yield


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
