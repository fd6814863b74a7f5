"""The table `services`."""

from collections.abc import Mapping, Sequence
from typing import Any

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


def uploaded(entries: Sequence[Mapping[str, Any]]) -> object:
    """Return the table of {type: "service", name, service, entrypoint?, …}."""
    keys = ("service", "entrypoint", "props")
    return [
        {"binding": one["name"], **{key: one[key] for key in keys if key in one}}
        for one in entries
    ]


def entries(table: object) -> Sequence[Mapping[str, Any]]:
    """Return {type: "service", name, service, entrypoint?, props?} for each entry."""
    found: list[Mapping[str, Any]] = []
    for one in parse(table):
        named = {"entrypoint": one.entrypoint, "props": one.props}
        given = {key: value for key, value in named.items() if value is not None}
        suffix = f"-{one.environment}" if one.environment else ""
        service = f"{one.service}{suffix}"
        shown = {"type": "service", "name": one.binding, "service": service}
        found.append({**shown, **given})
    return found
