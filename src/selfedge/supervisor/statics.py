"""The folder of static files that a wrangler file names: read, and looked over."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from selfedge.binding import StaticFiles
from selfedge.errors import ManifestError
from selfedge.manifest.compatibility import without_defaults
from selfedge.manifest.model import Manifest

HEADERS, REDIRECTS, IGNORE = "_headers", "_redirects", ".assetsignore"
FILES_MAX = 20_000
FILE_MAX_BYTES = 25 * 1024 * 1024
TEXT_MAX_BYTES = 1024 * 1024  # of `_headers` and the like
_SEEN_MAX = 2 * FILES_MAX  # entries that a save may cost
_SKIPPED = frozenset({"node_modules"})
_PAGES_WORKER = "_worker.js"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statics:
    """What the folder has."""

    files: StaticFiles
    read: frozenset[Path]  # a change of one makes another project
    warnings: Sequence[str]


def read_statics(manifest: Manifest) -> Statics | None:
    """Return the static files of a Worker; None if it has none.

    Raises:
        ManifestError: the folder is missing, or what should be in it cannot be read.
    """
    table = manifest.tables.get("assets")
    named = table.get("directory") if isinstance(table, Mapping) else None
    if not isinstance(named, str) or not named:
        return None  # who parses the table tells what is wrong
    folder = Path(os.path.normpath(manifest.root / named))
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise _wrong(manifest, f'`assets.directory` = "{named}" {what}')
    texts = {
        name: _text(folder / name, manifest) for name in (HEADERS, REDIRECTS, IGNORE)
    }
    files = StaticFiles(
        folder=str(folder),
        headers=texts[HEADERS],
        redirects=texts[REDIRECTS],
        ignore=texts[IGNORE],
        has_code=manifest.main is not None,
        compatibility_date=manifest.compatibility_date,
        compatibility_flags=without_defaults(
            manifest.compatibility_flags,
            compatibility_date=manifest.compatibility_date,
        ),
    )
    return Statics(
        files=files,
        read=frozenset(folder / name for name in texts),
        warnings=list(_warnings(folder, named, ignores=bool(texts[IGNORE]))),
    )


def _text(file: Path, manifest: Manifest) -> str:
    """Return the text of a file, or nothing if there is none."""
    try:
        with file.open("rb") as opened:
            raw = opened.read(TEXT_MAX_BYTES + 1)
        if len(raw) > TEXT_MAX_BYTES:
            raise _wrong(manifest, f"{file} is larger than {TEXT_MAX_BYTES} bytes")
        return raw.decode()
    except (FileNotFoundError, IsADirectoryError):
        return ""
    except UnicodeDecodeError as error:
        raise _wrong(manifest, f"{file} is not UTF-8 text: {error.reason}") from error
    except OSError as error:
        raise _wrong(manifest, f"{file} cannot be read: {error.strerror}") from error


def _warnings(folder: Path, named: str, *, ignores: bool) -> Iterator[str]:
    """Yield what would stop a deployment."""
    if ignores:  # which of the files count is for the engine to know
        return
    if (folder / _PAGES_WORKER).exists():
        yield (
            f'"{named}" holds {_PAGES_WORKER}, which clients can read: remove it, or '
            f"name it in {named}/{IGNORE}"
        )
    count = 0
    for path, size in islice(_files(folder), _SEEN_MAX):
        count += 1
        if size > FILE_MAX_BYTES:
            yield (
                f"{os.path.relpath(path, folder)} of the static files has {size} "
                f"bytes: more than {FILE_MAX_BYTES} cannot be deployed. Keep it in R2"
            )
    if count > FILES_MAX:
        yield (
            f'"{named}" has more than {FILES_MAX} files, which cannot be deployed: '
            f"name those that are not for clients in {named}/{IGNORE}"
        )


def _files(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield path and size of the files below `folder` that clients can get."""
    folders = [str(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as found:
                for one in found:
                    if one.name.startswith(".") or one.name in _SKIPPED:
                        continue
                    if one.is_dir(follow_symlinks=False):
                        folders.append(one.path)
                    elif one.is_file():
                        yield one.path, one.stat().st_size
        except OSError:  # it vanished while we looked
            continue


def _wrong(manifest: Manifest, what: str) -> ManifestError:
    pointer = (*manifest.pointers.get("assets", ("assets",)), "directory")
    return ManifestError(what, manifest.position(pointer))
