"""The table `kv_namespaces` of a wrangler file."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

_Name = Annotated[str, msgspec.Meta(min_length=1)]
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class KVNamespace(msgspec.Struct, frozen=True, kw_only=True):
    """One KV binding."""

    binding: _Name
    id: _Id | None = None
    preview_id: _Id | None = None
    remote: bool = False  # there is nothing remote here; known so that it is accepted

    @property
    def namespace(self) -> str:
        """The namespace it opens; as in `wrangler dev`, the preview's wins.

        An entry without an id opens a namespace of its binding's name.
        """
        return self.preview_id or self.id or self.binding


def parse(table: object) -> Sequence[KVNamespace]:
    """Return the entries of `table`.

    Raises:
        msgspec.ValidationError: it is not of this shape.
    """
    return msgspec.convert(table, list[KVNamespace])


def uploaded(entries: Sequence[Mapping[str, Any]]) -> object:
    """Return the table of {type: "kv_namespace", name, namespace_id}."""
    return [{"binding": one["name"], "id": one["namespace_id"]} for one in entries]


def entries(table: object) -> Sequence[Mapping[str, Any]]:
    """Return {type: "kv_namespace", name, namespace_id?} for each entry of `table`.

    Raises:
        msgspec.ValidationError: it is not of this shape.
    """
    found: list[Mapping[str, Any]] = []
    for one in parse(table):
        shown = {"type": "kv_namespace", "name": one.binding}
        found.append({**shown, "namespace_id": one.id} if one.id else shown)
    return found
