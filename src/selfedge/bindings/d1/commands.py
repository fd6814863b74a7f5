"""`selfedge d1`: databases of a running node, over its control API."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from selfedge.bindings.d1.terminal import migrations as moves
from selfedge.bindings.d1.terminal.project import found, required
from selfedge.bindings.d1.terminal.remote import DATABASES, Remote
from selfedge.client.address import locate
from selfedge.client.api import Api
from selfedge.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_path = click.Path(dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What the group's options say."""

    state: Path | None
    env: str | None

    def api(self) -> Api:
        """Return the node that is meant."""
        return Api(locate(Path.cwd(), os.environ, self.state))

    def remote(self, database: str) -> Remote:
        """Return the database of a binding, a name or an id."""
        project = found(Path.cwd(), database, self.env)
        return Remote(self.api(), project.key if project else database)


def _sure(command: F) -> F:
    """Take wrangler's ways of not being asked."""
    option = click.option("--yes", "-y", "--skip-confirmation", "sure", is_flag=True)
    return option(command)


def _where(command: F) -> F:
    """Take wrangler's --remote and --local: there is one node, which is both."""
    for name in ("--remote", "--local"):
        command = click.option(name, is_flag=True, hidden=True, expose_value=False)(
            command
        )
    return command


@click.group(name="d1")
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path),
    help="The state directory of the node that is meant.",
)
@click.option("--env", "-e", help="The environment of the wrangler file.")
@click.pass_context
def group(context: click.Context, state_dir: Path | None, env: str | None) -> None:
    """D1 on a running node: SQLite databases."""
    context.obj = _Chosen(state_dir, env)


@group.command()
@click.argument("name")
@click.option("--location", help="A hint; there is one place here.")
@_as_json
@click.pass_obj
def create(chosen: _Chosen, *, name: str, location: str | None, as_json: bool) -> None:
    """Make a database."""
    body = {"name": name, "primary_location_hint": location}
    made = chosen.api().call("POST", DATABASES, json=body)
    if as_json:
        _show(made)
        return
    entry = {"binding": "DB", "database_name": name, "database_id": made["uuid"]}
    click.echo(f"Made {name}. For your wrangler file:")
    _show({"d1_databases": [entry]})


@group.command(name="list")
@_as_json
@click.pass_obj
def list_databases(chosen: _Chosen, *, as_json: bool) -> None:
    """List the databases."""
    all_there_are = list(chosen.api().every(DATABASES))
    if as_json:
        _show(all_there_are)
        return
    click.echo(f"{'UUID':36}  {'NAME':24} {'TABLES':>6} {'BYTES':>12}  CREATED")
    for one in all_there_are:
        click.echo(
            f"{one['uuid']:36}  {one['name']:24} {one['num_tables']:>6}"
            f" {one['file_size']:>12}  {one['created_at']}"
        )


@group.command()
@click.argument("database")
@_as_json
@click.pass_obj
def info(chosen: _Chosen, *, database: str, as_json: bool) -> None:
    """Show what a database is."""
    shown = dict(chosen.remote(database).info)
    if as_json:
        _show(shown)
        return
    for key, value in shown.items():
        click.echo(f"{key:20} {value if isinstance(value, str) else json.dumps(value)}")


@group.command()
@click.argument("database")
@_sure
@click.pass_obj
def delete(chosen: _Chosen, *, database: str, sure: bool) -> None:
    """Remove a database with all its data and snapshots."""
    remote = chosen.remote(database)
    name = remote.info["name"]
    if not sure:
        click.confirm(f"Delete {name} and all its data?", abort=True)
    remote.delete()
    click.echo(f"Deleted {name}")


@group.command()
@click.argument("database")
@click.option("--command", "sql", help="Statements, separated by semicolons.")
@click.option("--file", type=_path, help="A file of statements: all or none.")
@_sure
@_where
@_as_json
@click.pass_obj
def execute(
    chosen: _Chosen,
    *,
    database: str,
    sql: str | None,
    file: Path | None,
    sure: bool,
    as_json: bool,
) -> None:
    """Run SQL."""
    del sure  # wrangler asks; here it is said already
    if (sql is None) == (file is None):
        raise UsageError("give --command or --file, one of them")
    remote = chosen.remote(database)
    if file is not None:
        _load(remote, file, as_json=as_json)
        return
    results = remote.query(sql or "")
    if as_json:
        _show(results)
        return
    for result in results:
        _table(result["results"])
        meta = result["meta"]
        click.echo(
            f"{meta['rows_read']} rows read, {meta['rows_written']} written"
            f" in {meta['duration']:.2f} ms"
        )


@group.command(name="import")
@click.argument("database")
@click.argument("file", type=_path)
@_as_json
@click.pass_obj
def import_file(chosen: _Chosen, *, database: str, file: Path, as_json: bool) -> None:
    """Run a file of SQL, such as `export` writes: all of it or nothing."""
    _load(chosen.remote(database), file, as_json=as_json)


@group.command()
@click.argument("database")
@click.option("--output", type=_path, required=True, help="The file to write.")
@click.option("--table", "tables", multiple=True, help="This one only; many times.")
@click.option("--no-schema", is_flag=True, help="Data only.")
@click.option("--no-data", is_flag=True, help="Tables only.")
@_sure
@_where
@click.pass_obj
def export(
    chosen: _Chosen,
    *,
    database: str,
    output: Path,
    tables: tuple[str, ...],
    no_schema: bool,
    no_data: bool,
    sure: bool,
) -> None:
    """Write a database to a file of SQL."""
    del sure
    if no_schema and no_data:
        raise UsageError("--no-schema and --no-data together leave nothing")
    options = {"no_schema": no_schema, "no_data": no_data, "tables": tables}
    chosen.remote(database).save(output, options, _note)
    click.echo(f"Exported {database} to {output}")


@group.group(name="migrations")
def migrations() -> None:
    """Files of SQL that are applied once each."""


@migrations.command(name="list")
@click.argument("database")
@_where
@click.pass_obj
def list_migrations(chosen: _Chosen, *, database: str) -> None:
    """Show the migrations that are not applied yet."""
    project = required(Path.cwd(), database, chosen.env)
    names = moves.unapplied(project, chosen.remote(database))
    click.echo("\n".join(names) if names else "No migrations to apply")


@migrations.command()
@click.argument("database")
@_sure
@_where
@click.pass_obj
def apply(chosen: _Chosen, *, database: str, sure: bool) -> None:
    """Apply the migrations that are not applied yet."""
    del sure
    project = required(Path.cwd(), database, chosen.env)
    remote = chosen.remote(database)
    names = moves.unapplied(project, remote)
    for name in names:
        moves.apply(project, remote, name)
        click.echo(f"Applied {name}")
    if not names:
        click.echo("No migrations to apply")


@migrations.command(name="create")
@click.argument("database")
@click.argument("message")
@click.pass_obj
def create_migration(chosen: _Chosen, *, database: str, message: str) -> None:
    """Write a new migration, to be filled."""
    project = required(Path.cwd(), database, chosen.env)
    click.echo(f"Wrote {moves.create(project, message)}")


@group.group(name="time-travel")
def time_travel() -> None:
    """States of a database that were kept."""


@time_travel.command(name="info")
@click.argument("database")
@click.option("--timestamp", help="Like 2026-01-31T12:00:00Z; left out: now.")
@_as_json
@click.pass_obj
def bookmark(
    chosen: _Chosen, *, database: str, timestamp: str | None, as_json: bool
) -> None:
    """Keep the state of now and name it, or name the newest before a time."""
    mark = chosen.remote(database).bookmark(timestamp)
    if as_json:
        _show({"bookmark": mark})
        return
    click.echo(f"The bookmark is {mark}. To go back to it:")
    click.echo(f"  selfedge d1 time-travel restore {database} --bookmark={mark}")


@time_travel.command()
@click.argument("database")
@click.option("--bookmark", "mark", help="From `info`, or an earlier restore.")
@click.option("--timestamp", help="Like 2026-01-31T12:00:00Z.")
@_sure
@_as_json
@click.pass_obj
def restore(
    chosen: _Chosen,
    *,
    database: str,
    mark: str | None,
    timestamp: str | None,
    sure: bool,
    as_json: bool,
) -> None:
    """Make a database what it was."""
    if (mark is None) == (timestamp is None):
        raise UsageError("give --bookmark or --timestamp, one of them")
    remote = chosen.remote(database)
    if not sure:
        click.confirm(f"Overwrite all data of {database}?", abort=True)
    done = remote.restore(mark or remote.bookmark(timestamp))
    if as_json:
        _show(done)
        return
    click.echo(done["message"])
    click.echo(f"To undo this, restore {done['previous_bookmark']}")


def _load(remote: Remote, file: Path, *, as_json: bool) -> None:
    done = remote.load(file, _note)
    if as_json:
        _show(done)
        return
    meta = done["meta"]
    click.echo(
        f"Ran {done['num_queries']} statements in {meta['duration']:.2f} ms"
        f" ({meta['rows_read']} rows read, {meta['rows_written']} written)"
    )


def _table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    shown = [[_cell(value) for value in row.values()] for row in rows]
    names = list(rows[0])
    widths = [max(map(len, column)) for column in zip(names, *shown, strict=True)]
    for line in (names, *shown):
        padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def _cell(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _note(text: str) -> None:
    click.echo(text, err=True)


def _show(answer: object) -> None:
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
