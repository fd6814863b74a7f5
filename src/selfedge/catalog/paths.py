"""Which paths static files may have: pure."""

from collections.abc import Collection

NAME_MAX_BYTES = 255
PATH_MAX_BYTES = 1024


def fault(path: str) -> str | None:
    """Return why `path` ("/blog/index.html") cannot be a static file's, or None."""
    shown = repr(path[:80])
    if not path.startswith("/") or not path.isprintable() or "\\" in path:
        return f"{shown} is not a path that begins with / and has plain characters"
    names = path[1:].split("/")
    if any(name in {"", ".", ".."} for name in names):
        return f"{shown} has a part that is empty, `.` or `..`"
    if len(path.encode()) > PATH_MAX_BYTES:
        return f"{shown}… is longer than {PATH_MAX_BYTES} bytes"
    if any(len(name.encode()) > NAME_MAX_BYTES for name in names):
        return f"{shown}… has a name longer than {NAME_MAX_BYTES} bytes"
    return None


def clash(paths: Collection[str]) -> str | None:
    """Return why `paths` cannot be files of one folder, or None."""
    known = set(paths)
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder:
            if folder in known:
                return f"{folder[:80]!r} is a file, and so {path[:80]!r} cannot be one"
            folder = folder.rpartition("/")[0]
    return None
