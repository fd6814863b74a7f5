"""Migrations: files of SQL that are applied once each, in the order of their names."""

import re
from collections.abc import Sequence
from pathlib import Path

from selfedge.bindings.d1.terminal.project import Project
from selfedge.bindings.d1.terminal.remote import Remote
from selfedge.errors import UsageError

_NUMBER = re.compile(r"(\d+)")


def files(project: Project) -> Sequence[str]:
    """Return the names of all migrations, in order.

    Raises:
        UsageError: there is no folder of migrations.
    """
    folder = project.migrations
    if not folder.is_dir():
        raise UsageError(
            f"no migrations folder at {folder}; make one, or set migrations_dir"
        )
    if pattern := project.entry.migrations_pattern:
        names = (p.relative_to(folder) for p in project.root.glob(pattern))
        return sorted(str(name) for name in names)
    return sorted(path.name for path in folder.glob("*.sql"))


def unapplied(project: Project, remote: Remote) -> Sequence[str]:
    """Return those that the database does not have yet; makes their table."""
    table = _identifier(project.entry.migrations_table)
    rows = remote.query(
        f"""CREATE TABLE IF NOT EXISTS {table}(
		id         INTEGER PRIMARY KEY AUTOINCREMENT,
		name       TEXT UNIQUE,
		applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
);
SELECT name FROM {table} ORDER BY id"""  # noqa: S608
    )
    applied = {row["name"] for row in rows[-1]["results"]}
    return [name for name in files(project) if name not in applied]


def apply(project: Project, remote: Remote, name: str) -> None:
    """Apply one, as one transaction with the note that it is applied.

    Raises:
        ApiError: it failed; the database is as before.
        UsageError: the file cannot be read.
    """
    path = project.migrations / name
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    table = _identifier(project.entry.migrations_table)
    quoted = name.replace("'", "''")
    remote.query(f"{text}\n;INSERT INTO {table} (name) VALUES ('{quoted}')")  # noqa: S608


def create(project: Project, message: str) -> Path:
    """Write the next migration, empty, and return its path."""
    folder = project.migrations
    folder.mkdir(parents=True, exist_ok=True)
    numbers = (_NUMBER.match(path.name) for path in folder.glob("*.sql"))
    last = max((int(match[1]) for match in numbers if match), default=0)
    words = re.sub(r"[^\w-]+", "_", message.strip()) or "migration"
    path = folder / f"{last + 1:04d}_{words}.sql"
    path.write_text(f"-- Migration number: {last + 1:04d}\n")
    return path


def _identifier(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
