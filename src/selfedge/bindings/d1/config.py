"""The table `d1_databases` of a wrangler file."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

_Name = Annotated[str, msgspec.Meta(min_length=1)]
_Id = Annotated[str, msgspec.Meta(max_length=128)]  # "" is none

MIGRATIONS_DIR = "migrations"
MIGRATIONS_TABLE = "d1_migrations"


class D1Database(msgspec.Struct, frozen=True, kw_only=True):
    """One D1 binding."""

    binding: _Name
    database_name: _Name | None = None
    database_id: _Id | None = None
    preview_database_id: _Id | None = None
    migrations_dir: _Name = MIGRATIONS_DIR
    migrations_pattern: str | None = None
    migrations_table: _Name = MIGRATIONS_TABLE
    database_internal_env: str | None = None  # Cloudflare's own
    remote: bool = False  # there is nothing remote here; known so that it is accepted

    @property
    def id(self) -> str | None:
        """The id it opens; as in `wrangler dev`, the preview's wins."""
        return self.preview_database_id or self.database_id

    def name(self, script: str) -> str:
        """Return the database's name; wrangler makes one of the script's, too."""
        made = f"{script}-{self.binding.lower().replace('_', '-')}"
        return self.database_name or made


def parse(table: object) -> Sequence[D1Database]:
    """Return the entries of `table`.

    Raises:
        msgspec.ValidationError: it is not of this shape.
    """
    return msgspec.convert(table, list[D1Database])


def uploaded(entries: Sequence[Mapping[str, Any]]) -> object:
    """Return the table of {type: "d1", name, id}."""
    return [
        {"binding": one["name"], "database_id": one.get("id") or one["database_id"]}
        for one in entries
    ]


def entries(table: object) -> Sequence[Mapping[str, Any]]:
    """Return {type: "d1", name, id?} for each entry of `table`.

    Raises:
        msgspec.ValidationError: it is not of this shape.
    """
    found: list[Mapping[str, Any]] = []
    for one in parse(table):
        shown = {"type": "d1", "name": one.binding}
        found.append({**shown, "id": one.database_id} if one.database_id else shown)
    return found
