"""Where a Worker's code starts."""

import difflib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from selfedge.errors import BuildError, ManifestError, Position
from selfedge.manifest.model import Manifest

SOURCES: Final = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".mts", ".cjs", ".cts")
TYPED: Final = (".ts", ".tsx", ".jsx", ".mts", ".cts")
SKIPPED: Final = frozenset({"node_modules", ".git", ".wrangler", ".selfedge"})

_SEEN_FILES: Final = 2000

SERVICE_WORKER: Final = """\
{main} exports nothing, so it is no Worker module. If it calls \
addEventListener("fetch", …), write it as

export default {{
  async fetch(request, env, ctx) {{
    return new Response("Hello");
  }},
}};"""


def find_main(manifest: Manifest) -> Path:
    """Return the Worker's main file.

    Raises:
        ManifestError: it is missing, a folder, or in a language that is not supported.
    """
    if manifest.main is None:
        raise BuildError(f"{manifest.path.name} has no main: there is nothing to build")
    main = Path(os.path.normpath(manifest.root / manifest.main))
    if main.suffix == ".py":
        raise _wrong(manifest, "Python Workers are not supported: write JavaScript")
    if manifest.build.no_bundle and main.suffix in TYPED:
        raise _wrong(manifest, "no_bundle loads files as they are: name JavaScript")
    if main.is_file():
        return main
    for suffix in SOURCES if not main.suffix else ():
        if (named := main.with_name(main.name + suffix)).is_file():
            return named
    raise _wrong(manifest, _missing(manifest, main))


def no_exports(manifest: Manifest, main: Path) -> BuildError:
    """Return the error for a main file that exports nothing."""
    return BuildError(SERVICE_WORKER.format(main=_relative(manifest, main)))


def _missing(manifest: Manifest, main: Path) -> str:
    what = f'main = "{_relative(manifest, main)}" is a folder'
    if not main.is_dir():
        what = f'main = "{_relative(manifest, main)}" does not exist'
    if manifest.build.command:
        what += f" after the build command `{manifest.build.command}`"
    near = _nearest(manifest.root, main)
    return f'{what}; did you mean "{near}"?' if near else what


def _nearest(root: Path, main: Path) -> str | None:
    wanted = Path(os.path.relpath(main, root)).as_posix()
    files = [name for name, _ in zip(_sources(root), range(_SEEN_FILES), strict=False)]
    stems = [name for name in files if Path(name).stem == main.stem]
    near = difflib.get_close_matches(wanted, stems or files, n=1, cutoff=0.3)
    return near[0] if near else None


def _sources(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - SKIPPED)
        for name in sorted(names):
            if name.endswith(SOURCES) and not name.endswith(".d.ts"):
                yield Path(os.path.relpath(Path(folder, name), root)).as_posix()


def _relative(manifest: Manifest, path: Path) -> str:
    return Path(os.path.relpath(path, manifest.root)).as_posix()


def _wrong(manifest: Manifest, message: str) -> ManifestError:
    return ManifestError(message, _position(manifest))


def _position(manifest: Manifest) -> Position:
    if environment := manifest.environment:
        own = manifest.position(("env", environment, "main"))
        if own != manifest.position(("env", environment)):
            return own  # not inherited
    return manifest.position(("main",))
