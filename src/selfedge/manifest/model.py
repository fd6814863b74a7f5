"""A wrangler file, read: one environment of it, typed, with positions at hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from selfedge.errors import Position

Pointer: TypeAlias = tuple[str | int, ...]
"""Path of a value in a wrangler file: ("env", "staging", "kv_namespaces", 0, "id")."""

ModuleType: TypeAlias = Literal["ESModule", "CommonJS", "Text", "Data", "CompiledWasm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Files that match `globs` become modules of `type`."""

    type: ModuleType
    globs: Sequence[str]
    fallthrough: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How the Worker's code becomes modules."""

    rules: Sequence[Rule] = ()
    no_bundle: bool = False
    find_additional_modules: bool = False
    base_dir: Path | None = None
    alias: Mapping[str, str] = field(default_factory=dict)
    define: Mapping[str, str] = field(default_factory=dict)
    minify: bool = False
    keep_names: bool = True
    tsconfig: Path | None = None
    jsx_factory: str = "React.createElement"
    jsx_fragment: str = "React.Fragment"
    command: str | None = None
    command_cwd: Path | None = None
    watch_dirs: Sequence[Path] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One Worker as its wrangler file describes it, for one environment."""

    path: Path  # the wrangler file
    environment: str | None
    name: str  # script name, with the environment's suffix as wrangler forms it
    main: Path | None  # None: assets only
    compatibility_date: str
    compatibility_flags: Sequence[str]
    build: Build
    tables: Mapping[str, object]  # supported binding tables, decoded: "kv_namespaces"
    pointers: Mapping[str, Pointer]  # where each of `tables` stands
    secrets: Mapping[str, str]  # .dev.vars or .env; not shown to anybody
    hosts: Sequence[str] = ()  # hostnames of its routes
    crons: Sequence[str] = ()
    warnings: Sequence[str] = ()
    files: Sequence[Path] = ()  # all files read: a change of one means read again

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.path.parent

    def position(self, pointer: Pointer) -> Position:
        """Return where the value at `pointer` stands, or its nearest parent."""
        from selfedge.manifest.position import locate  # noqa: PLC0415 - error path only

        return locate(self.path, pointer)
