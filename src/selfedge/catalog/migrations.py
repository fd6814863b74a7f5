"""Durable Object migrations of an upload, as a wrangler file would list them: pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from selfedge.catalog.model import ScriptState
from selfedge.errors import ApiError

WRONG_TAG = 10079
BAD_MIGRATION = 10021


class Renamed(msgspec.Struct, frozen=True, rename={"old": "from", "new": "to"}):
    """A class that gets another name."""

    old: str
    new: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What one migration does."""

    new_classes: Sequence[str] = ()
    new_sqlite_classes: Sequence[str] = ()
    renamed_classes: Sequence[Renamed] = ()
    deleted_classes: Sequence[str] = ()
    transferred_classes: Sequence[Mapping[str, str]] = ()


class Migrations(Step, frozen=True, kw_only=True):
    """`migrations` of an upload: several steps, or itself the only one."""

    old_tag: str | None = None
    new_tag: str | None = None
    steps: Sequence[Step] | None = None


def migrated(script: ScriptState, given: Migrations) -> ScriptState:
    """Append what is new; the classes themselves are for the caller to check.

    Raises:
        ApiError: the Worker is not at `old_tag`, the new tag was used before, or a
            class is to come from another Worker.
    """
    check_tags(script, given)
    entries = list(_entries(given, len(script.migrations)))
    return replace(
        script,
        migrations=(*script.migrations, *entries),
        migration_tag=given.new_tag,
    )


def has_steps(given: Migrations) -> bool:
    """Return whether there is anything to do: clients may send none."""
    return bool(given.steps) or (given.steps is None and bool(_tables(given)))


def check_tags(script: ScriptState, given: Migrations) -> None:
    """Check that the migrations follow those that were applied.

    Raises:
        ApiError: they do not.
    """
    at, old = script.migration_tag, given.old_tag
    if (old or None) != at:
        raise ApiError(
            "Durable Object migration tag precondition failed: the Worker "
            f"{script.name} is at {at or 'no tag'}, the upload begins at "
            f"{old or 'no tag'}.",
            status=412,
            number=WRONG_TAG,
        )
    used = {entry["tag"] for entry in script.migrations}
    if given.new_tag is not None and given.new_tag in used:
        raise _bad(
            f"The Durable Object migration {given.new_tag!r} of {script.name} was "
            "applied before; give the new one another tag."
        )


def _entries(given: Migrations, before: int) -> Sequence[Mapping[str, Any]]:
    steps: Sequence[Step] = [given] if given.steps is None else given.steps
    last = given.new_tag or f"step-{before + len(steps)}"
    entries = []
    for number, step in enumerate(steps, 1):
        if step.transferred_classes:
            raise _bad(
                "`transferred_classes` is not supported by this node yet: the objects "
                "of another Worker cannot be taken over."
            )
        tag = last if number == len(steps) else f"{last}.{number}"
        entries.append({"tag": tag, **_tables(step)})
    return entries


def _tables(step: Step) -> Mapping[str, Any]:
    """Return the tables of a step that say something."""
    tables = {
        name: msgspec.to_builtins(getattr(step, name))
        for name in Step.__struct_fields__
    }
    return {name: table for name, table in tables.items() if table}


def _bad(message: str) -> ApiError:
    return ApiError(message, status=400, number=BAD_MIGRATION)
