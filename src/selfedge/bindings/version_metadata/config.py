"""The table `version_metadata`."""

from collections.abc import Sequence

import msgspec


class VersionMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """Under which name the Worker sees its version."""

    binding: str


def parse(table: object) -> Sequence[VersionMetadata]:
    """Read {binding}."""
    return [msgspec.convert(table, VersionMetadata)]
