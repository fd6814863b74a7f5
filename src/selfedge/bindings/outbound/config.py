"""Nothing in the wrangler file: what may be reached is the node's choice."""

from collections.abc import Sequence

import msgspec


class Outbound(msgspec.Struct, frozen=True):
    """A Worker's way out."""


def parse(table: object) -> Sequence[Outbound]:  # noqa: ARG001 - the contract's shape
    """Every Worker has one."""
    return [Outbound()]
