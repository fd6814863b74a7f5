"""The table `services`."""

from collections.abc import Sequence

import msgspec


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A binding to another Worker, or to one of its named entrypoints."""

    binding: str
    service: str
    entrypoint: str | None = None
    environment: str | None = None
    props: dict[str, object] | None = None


def parse(table: object) -> Sequence[Service]:
    """Read [{binding, service, entrypoint?, environment?, props?}]."""
    return msgspec.convert(table, list[Service])
