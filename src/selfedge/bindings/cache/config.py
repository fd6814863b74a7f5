"""The Cache API has no table in the wrangler file: every Worker has one cache."""

from collections.abc import Sequence

import msgspec


class CacheConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing to choose."""


def parse(_table: object) -> Sequence[CacheConfig]:
    """Return the one entry that each Worker has."""
    return (CacheConfig(),)
