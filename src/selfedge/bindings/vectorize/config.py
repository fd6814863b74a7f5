"""The table `[[vectorize]]` of a wrangler file."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from selfedge.bindings.vectorize.limits import INDEX_NAME_MAX_BYTES


class IndexBinding(msgspec.Struct, frozen=True, kw_only=True):
    """One entry: the index `index_name` as `env.<binding>`."""

    binding: Annotated[str, msgspec.Meta(min_length=1)]
    index_name: Annotated[str, msgspec.Meta(min_length=1)]


def parse(table: object) -> Sequence[IndexBinding]:
    """Read the table.

    Raises:
        msgspec.ValidationError: a field is missing, of a wrong type or too long.
    """
    entries = msgspec.convert(table, list[IndexBinding])
    for number, entry in enumerate(entries):
        size = len(entry.index_name.encode())
        if size > INDEX_NAME_MAX_BYTES:
            raise msgspec.ValidationError(
                f"An index name has at most {INDEX_NAME_MAX_BYTES} bytes, got {size}"
                f" - at `$[{number}].index_name`"
            )
    return entries


def uploaded(entries: Sequence[Mapping[str, Any]]) -> object:
    """Return the table of {type: "vectorize", name, index_name}."""
    return [
        {"binding": one["name"], "index_name": one["index_name"]} for one in entries
    ]


def entries(table: object) -> Sequence[Mapping[str, Any]]:
    """Return {type: "vectorize", name, index_name} for each entry of `table`.

    Raises:
        msgspec.ValidationError: a field is missing, of a wrong type or too long.
    """
    return [
        {"type": "vectorize", "name": one.binding, "index_name": one.index_name}
        for one in parse(table)
    ]
