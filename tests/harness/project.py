"""Projects as dicts: path → content."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import TypeAlias

Content: TypeAlias = str | bytes
Files: TypeAlias = Mapping[str, Content]

COMPATIBILITY_DATE = "2026-01-01"


def worker(
    code: str, wrangler: str = "", *, name: str = "app", files: Files | None = None
) -> dict[str, Content]:
    """Return a project with the Worker `code`; `wrangler` is more of its TOML."""
    head = (
        f'name = "{name}"\nmain = "index.ts"\n'
        f'compatibility_date = "{COMPATIBILITY_DATE}"\n'
    )
    return {
        "wrangler.toml": head + dedent(wrangler),
        "index.ts": dedent(code),
        **(files or {}),
    }


def write(folder: Path, files: Files) -> None:
    """Write `files` under `folder`."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes(data)
