"""The tables `durable_objects` and `migrations`."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import asdict


class DurableObject(msgspec.Struct, frozen=True, kw_only=True):
    """A binding to a namespace of objects of one class."""

    name: str
    class_name: str
    script_name: str | None = None
    environment: str | None = None


class HostedClass(msgspec.Struct, frozen=True, kw_only=True):
    """A class that a Worker hosts, as its migrations leave it.

    `key` names its data for ever: the name of the migration that created it.
    """

    class_name: str
    key: str
    sql: bool


class _Objects(msgspec.Struct, frozen=True):
    bindings: list[DurableObject] = []


class _Renamed(msgspec.Struct, frozen=True, rename={"old": "from", "new": "to"}):
    old: str
    new: str


class _Transferred(
    msgspec.Struct,
    frozen=True,
    rename={"old": "from", "new": "to", "script": "from_script"},
):
    old: str
    new: str
    script: str


class _Migration(msgspec.Struct, frozen=True):
    tag: str
    new_classes: list[str] = []
    new_sqlite_classes: list[str] = []
    renamed_classes: list[_Renamed] = []
    deleted_classes: list[str] = []
    transferred_classes: list[_Transferred] = []


def parse_objects(table: object) -> Sequence[DurableObject]:
    """Read {bindings: [{name, class_name, script_name?, environment?}]}."""
    return msgspec.convert(table, _Objects).bindings


def parse_migrations(table: object) -> Sequence[HostedClass]:
    """Apply [{tag, new_classes, …}] in order; return the classes that remain.

    Raises:
        msgspec.ValidationError: a wrong shape, or a class that is made twice,
            or renamed or deleted without being there.
    """
    hosted: dict[str, HostedClass] = {}
    born: dict[str, int] = {}
    for migration in msgspec.convert(table, list[_Migration]):
        _apply(migration, hosted, born)
    return list(hosted.values())


def _apply(
    migration: _Migration, hosted: dict[str, HostedClass], born: dict[str, int]
) -> None:
    for sql, names in (
        (False, migration.new_classes),
        (True, migration.new_sqlite_classes),
    ):
        for name in names:
            _absent(name, hosted, migration.tag)
            born[name] = born.get(name, 0) + 1
            key = name if born[name] == 1 else f"{name}-{born[name]}"
            hosted[name] = HostedClass(class_name=name, key=key, sql=sql)
    for rename in migration.renamed_classes:
        old = _present(rename.old, hosted, migration.tag)
        _absent(rename.new, hosted, migration.tag)
        hosted[rename.new] = msgspec.structs.replace(old, class_name=rename.new)
        del hosted[rename.old]
    for move in migration.transferred_classes:
        _absent(move.new, hosted, migration.tag)
        hosted[move.new] = HostedClass(class_name=move.new, key=move.new, sql=True)
    for name in migration.deleted_classes:
        _present(name, hosted, migration.tag)
        del hosted[name]


def _present(name: str, hosted: dict[str, HostedClass], tag: str) -> HostedClass:
    if name not in hosted:
        raise msgspec.ValidationError(
            f"migration {tag!r} renames or deletes the class {name!r}, "
            "which no earlier migration creates"
        )
    return hosted[name]


def _absent(name: str, hosted: dict[str, HostedClass], tag: str) -> None:
    if name in hosted:
        raise msgspec.ValidationError(
            f"migration {tag!r} creates the class {name!r}, which is there already"
        )


def uploaded(entries: Sequence[Mapping[str, Any]]) -> object:
    """Return the table of {type: "durable_object_namespace", name, class_name, …}."""
    keys = ("name", "class_name", "script_name", "environment")
    objects = [{key: one[key] for key in keys if one.get(key)} for one in entries]
    return {"bindings": objects}


def entries(table: object) -> Sequence[Mapping[str, Any]]:
    """Return {type: "durable_object_namespace", name, class_name, …} for each entry."""
    return [
        {
            "type": "durable_object_namespace",
            **{key: value for key, value in asdict(one).items() if value is not None},
        }
        for one in parse_objects(table)
    ]
