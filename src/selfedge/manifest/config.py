"""The keys that the manifest itself reads, typed."""

from pathlib import Path

import msgspec

from selfedge.manifest.environment import Selection
from selfedge.manifest.mistake import mistake_among
from selfedge.manifest.model import ModuleType


class RuleEntry(msgspec.Struct, frozen=True):
    """One of `rules`."""

    type: ModuleType
    globs: tuple[str, ...]
    fallthrough: bool | None = None


class BuildEntry(msgspec.Struct, frozen=True):
    """The table `build`."""

    command: str | None = None
    cwd: str | None = None
    watch_dir: str | tuple[str, ...] = "./src"


class RouteEntry(msgspec.Struct, frozen=True):
    """One of `routes`, when it is a table."""

    pattern: str
    custom_domain: bool = False
    zone_id: str | None = None
    zone_name: str | None = None


class TriggersEntry(msgspec.Struct, frozen=True):
    """The table `triggers`."""

    crons: tuple[str, ...] = ()
    events: tuple[object, ...] = ()


class SecretsEntry(msgspec.Struct, frozen=True):
    """The table `secrets`: names that the Worker cannot do without."""

    required: tuple[str, ...] = ()


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The keys that become fields of a Manifest."""

    main: str | None = None
    compatibility_date: str | None = None
    compatibility_flags: tuple[str, ...] = ()
    rules: tuple[RuleEntry, ...] = ()
    build: BuildEntry = BuildEntry()
    no_bundle: bool = False
    find_additional_modules: bool = False
    base_dir: str | None = None
    alias: dict[str, str] = msgspec.field(default_factory=dict)
    define: dict[str, str] = msgspec.field(default_factory=dict)
    minify: bool = False
    keep_names: bool = True
    tsconfig: str | None = None
    jsx_factory: str = "React.createElement"
    jsx_fragment: str = "React.Fragment"
    route: str | RouteEntry | None = None
    routes: tuple[str | RouteEntry, ...] = ()
    triggers: TriggersEntry = TriggersEntry()
    secrets: SecretsEntry | None = None


def convert(selection: Selection, path: Path) -> Config:
    """Return the typed form of the keys that the manifest reads.

    Raises:
        ManifestError: one of them is of a wrong type.
    """
    try:
        return msgspec.convert(dict(selection.values), Config)
    except msgspec.ValidationError as error:
        raise mistake_among(error, selection.pointers, path) from error
