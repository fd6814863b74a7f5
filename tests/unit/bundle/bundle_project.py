"""A project's folder, and a build of it."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from selfedge.bundle import Bundle, bundle
from selfedge.manifest.model import Build, Manifest

DATE = "2025-06-01"

Run = Callable[..., str]
"""Starts the engine with a bundle and returns its answer to `GET /`."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project's folder, and a build of it."""

    root: Path
    esbuild: Path

    def write(self, files: Mapping[str, str | bytes]) -> "Project":
        for name, content in files.items():
            file = self.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            raw = content.encode() if isinstance(content, str) else content
            file.write_bytes(raw)
        return self

    def manifest(
        self,
        main: str = "src/index.ts",
        *,
        date: str = DATE,
        flags: Sequence[str] = (),
        name: str = "hello",
        **build: Any,
    ) -> Manifest:
        file = self.root / "wrangler.toml"
        if not file.exists():
            file.write_text(f'name = "{name}"\nmain = "{main}"\n')
        return Manifest(
            path=file,
            environment=None,
            name=name,
            main=Path(main),
            compatibility_date=date,
            compatibility_flags=flags,
            build=replace(Build(), **build),
            tables={},
            pointers={},
            secrets={},
        )

    def bundle(self, main: str = "src/index.ts", **options: Any) -> Bundle:
        manifest = self.manifest(main, **options)
        return asyncio.run(bundle(manifest, esbuild=self.esbuild, environ=os.environ))
