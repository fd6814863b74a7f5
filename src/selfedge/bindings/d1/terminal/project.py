"""What the wrangler file of a project says of its databases."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from selfedge.bindings.d1.config import D1Database, parse
from selfedge.errors import ManifestError, UsageError
from selfedge.manifest import document, environment, reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A folder with a wrangler file, and one entry of `d1_databases`."""

    root: Path
    script: str
    entry: D1Database

    @property
    def key(self) -> str:
        """What the API knows the database by: its id, or its name."""
        return self.entry.database_id or self.entry.name(self.script)

    @property
    def migrations(self) -> Path:
        """The folder of its migrations."""
        return self.root / self.entry.migrations_dir


def found(folder: Path, database: str, env: str | None) -> Project | None:
    """Return the project of `folder` if it has that database, by binding or name.

    Raises:
        ManifestError: the wrangler file is wrong.
    """
    try:
        path = reader.find(folder)
    except ManifestError:  # there is none: then the name is one of the API
        return None
    selection = environment.select(document.parse(path), env, path)
    table = selection.values.get("d1_databases", [])
    try:
        entries = parse(table)
    except msgspec.ValidationError as error:
        raise ManifestError(f"{path.name}: d1_databases: {error}") from error
    for entry in entries:
        if database in (entry.binding, entry.database_name, entry.database_id):
            return Project(root=path.parent, script=selection.name, entry=entry)
    return None


def required(folder: Path, database: str, env: str | None) -> Project:
    """Return the project that has the database.

    Raises:
        UsageError: there is none.
    """
    project = found(folder, database, env)
    if project is None:
        raise UsageError(
            f"no wrangler file in {folder} or above has a D1 database with the name or"
            f" binding {database!r}; migrations need its entry in d1_databases"
        )
    return project
