"""The table `r2_buckets` of a wrangler file."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """One R2 binding."""

    binding: _Name
    bucket_name: _Name | None = None
    preview_bucket_name: _Name | None = None
    jurisdiction: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z-]*$")] | None = None
    remote: bool = False  # there is nothing remote here; known so that it is accepted

    @property
    def bucket(self) -> str:
        """The bucket it opens; as in `wrangler dev`, the preview's wins.

        An entry without a name opens a bucket of its binding's name. Buckets of
        another jurisdiction than the default one are told apart by it.
        """
        name = self.preview_bucket_name or self.bucket_name or self.binding
        if self.jurisdiction in (None, "default"):
            return name
        return f"{self.jurisdiction}/{name}"


def parse(table: object) -> Sequence[Bucket]:
    """Return the entries of `table`.

    Raises:
        msgspec.ValidationError: it is not of this shape.
    """
    return msgspec.convert(table, list[Bucket])


def uploaded(entries: Sequence[Mapping[str, Any]]) -> object:
    """Return the table of {type: "r2_bucket", name, bucket_name, jurisdiction?}."""
    return [
        {
            "binding": one["name"],
            "bucket_name": one["bucket_name"],
            "jurisdiction": one.get("jurisdiction"),
        }
        for one in entries
    ]


def entries(table: object) -> Sequence[Mapping[str, Any]]:
    """Return {type: "r2_bucket", name, bucket_name?, jurisdiction?} for each entry.

    Raises:
        msgspec.ValidationError: it is not of this shape.
    """
    found: list[Mapping[str, Any]] = []
    for one in parse(table):
        named = {"bucket_name": one.bucket_name, "jurisdiction": one.jurisdiction}
        given = {key: value for key, value in named.items() if value is not None}
        found.append({"type": "r2_bucket", "name": one.binding, **given})
    return found
