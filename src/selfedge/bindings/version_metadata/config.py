"""The table `version_metadata`."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec


class VersionMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """Under which name the Worker sees its version."""

    binding: str


def parse(table: object) -> Sequence[VersionMetadata]:
    """Read {binding}."""
    return [msgspec.convert(table, VersionMetadata)]


def uploaded(entries: Sequence[Mapping[str, Any]]) -> object:
    """Return the table of {type: "version_metadata", name}; there is one at most."""
    if len(entries) > 1:
        raise ValueError("a Worker has one version_metadata binding at most")
    return {"binding": entries[0]["name"]}


def entries(table: object) -> Sequence[Mapping[str, Any]]:
    """Return {type: "version_metadata", name} for the table."""
    return [{"type": "version_metadata", "name": one.binding} for one in parse(table)]
