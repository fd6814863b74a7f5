"""The table `assets` of a wrangler file."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from selfedge.bindings.assets.errors import check_rules

HtmlHandling: TypeAlias = Literal[
    "auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none"
]
NotFoundHandling: TypeAlias = Literal["single-page-application", "404-page", "none"]


class Assets(msgspec.Struct, frozen=True, kw_only=True):
    """Which files clients get, and how."""

    directory: str | None = None  # None: they were uploaded
    binding: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    html_handling: HtmlHandling = "auto-trailing-slash"
    not_found_handling: NotFoundHandling = "none"
    base_path: str | None = None
    run_worker_first: bool | tuple[str, ...] = False


def parse(table: object) -> Sequence[Assets]:
    """Return the one entry of `table`.

    Raises:
        msgspec.ValidationError: it is not of this shape, or a rule is wrong.
    """
    assets = msgspec.convert(table, Assets)
    if not isinstance(assets.run_worker_first, bool):
        check_rules(assets.run_worker_first)
    return [assets]


def uploaded(entries: Sequence[Mapping[str, Any]]) -> object:
    """Return the table of {type: "assets", name}; there is one at most."""
    if len(entries) > 1:
        raise ValueError("a Worker has one binding to its static assets at most")
    return {"binding": entries[0]["name"]}


def entries(table: object) -> Sequence[Mapping[str, Any]]:
    """Return {type: "assets", name} if `table` names a binding.

    Raises:
        msgspec.ValidationError: it is not of this shape.
    """
    return [
        {"type": "assets", "name": one.binding} for one in parse(table) if one.binding
    ]
