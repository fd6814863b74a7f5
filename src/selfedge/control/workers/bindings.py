"""The bindings of a new version: given, kept and inherited, then checked; pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from selfedge.binding import AnyBinding
from selfedge.bindings.durable_objects.config import HostedClass, parse_migrations
from selfedge.catalog.model import ScriptState, State
from selfedge.catalog.scripts import find_script
from selfedge.compiler.upload import types_of, uploaded_tables
from selfedge.control.workers.limits import (
    BINDINGS_MAX,
    CLASS_NAME_MAX_CHARS,
    VARIABLE_MAX_BYTES,
    VARIABLES_MAX,
)
from selfedge.control.workers.problem import (
    NO_CLASS,
    NO_SERVICE,
    NOT_INHERITED,
    TOO_MANY_BINDINGS,
    VARIABLE_TOO_LARGE,
    bad,
    invalid,
)
from selfedge.errors import ApiError, ManifestError

Entry: TypeAlias = Mapping[str, Any]

SECRET = "secret_text"  # noqa: S105 - a type of binding
KEPT_UNASKED = frozenset({SECRET, "secret_key"})
_VARIABLES = frozenset({"plain_text", "json", SECRET})


def merged(
    given: Iterable[Entry],
    before: Sequence[Entry],
    *,
    keep: Collection[str],
    strict: bool,
) -> Sequence[Entry]:
    """Return the bindings of a version that follows one with `before`.

    Those of `before` whose type is in `keep` stay if no other has their name.

    Raises:
        ApiError: an entry has no name or type, a name stands twice, or `strict` and
            there is nothing to inherit.
    """
    known = {entry["name"]: entry for entry in before}
    found: dict[str, Entry] = {}
    for entry in given:
        name, kind = _named(entry)
        if name in found:
            raise invalid(f"The binding name {name!r} stands twice.")
        old = entry.get("old_name", name)
        if kind != "inherit":
            found[name] = _only_text(entry) if kind == SECRET else entry
        elif isinstance(old, str) and old in known:
            found[name] = {**known[old], "name": name}
        elif strict:
            raise bad(
                f"The binding {name!r} is to be inherited, but the latest version of "
                "the Worker has none of that name.",
                NOT_INHERITED,
            )
    kept = {
        name: entry
        for name, entry in known.items()
        if entry["type"] in keep and name not in found
    }
    return [*found.values(), *kept.values()]


def inherits_bare(given: Iterable[Entry], before: Sequence[Entry]) -> Sequence[Entry]:
    """Return `given`, where one that has only a name and a type is inherited."""
    known = {(entry["name"], entry["type"]) for entry in before}
    return [
        {**entry, "type": "inherit"}
        if len(entry) == len({"name", "type"})
        and (entry.get("name"), entry.get("type")) in known
        else entry
        for entry in given
    ]


def check(entries: Sequence[Entry], bindings: Sequence[AnyBinding]) -> None:
    """Check that this node can run with these bindings.

    Raises:
        ApiError: there are too many, one is too large, or of a type or shape that
            cannot be.
    """
    if len(entries) > BINDINGS_MAX:
        raise bad(
            f"The Worker has {len(entries)} bindings, {BINDINGS_MAX} are the most.",
            TOO_MANY_BINDINGS,
        )
    _check_variables([entry for entry in entries if entry["type"] in _VARIABLES])
    runs = types_of(bindings)
    for entry in entries:
        if entry["type"] not in runs:
            raise _not_run(entry, runs)
    _check_shapes(entries, bindings)


def check_targets(
    state: State, account: str, script: ScriptState, entries: Sequence[Entry]
) -> None:
    """Check that the classes and Workers that bindings name are there.

    Raises:
        ApiError: one is not.
    """
    for entry in entries:
        if entry["type"] == "durable_object_namespace":
            other = entry.get("script_name") or script.name
            _check_class(state, account, script, entry, other)
        elif entry["type"] == "service":
            target = entry["service"]
            if target != script.name and find_script(state, account, target) is None:
                raise bad(
                    f"Could not resolve service binding {entry['name']!r}: there is "
                    f"no Worker {target[:80]!r}. Deploy it first.",
                    NO_SERVICE,
                )


def classes_of(script: ScriptState) -> Sequence[str]:
    """Return the names of the Durable Object classes that a Worker hosts.

    Raises:
        ApiError: its migrations contradict each other.
    """
    return [one.class_name for one in hosted_by(script)]


def hosted_by(script: ScriptState) -> Sequence[HostedClass]:
    """Return the Durable Object classes that a Worker hosts.

    Raises:
        ApiError: its migrations contradict each other.
    """
    for entry in script.migrations:
        for name in (
            *entry.get("new_classes", ()),
            *entry.get("new_sqlite_classes", ()),
            *(one["to"] for one in entry.get("renamed_classes", ())),
        ):
            _check_class_name(name)
    try:
        return parse_migrations([dict(one) for one in script.migrations])
    except msgspec.ValidationError as error:
        raise invalid(f"The Durable Object migrations are wrong: {error}.") from error


def _check_class_name(name: str) -> None:
    """Check a name that becomes a part of a file's."""
    if len(name) > CLASS_NAME_MAX_CHARS or not name.replace("$", "_").isidentifier():
        raise invalid(
            f"{name[:80]!r} cannot be the name of a class: it is an identifier with at "
            f"most {CLASS_NAME_MAX_CHARS} characters."
        )


def public(entries: Iterable[Entry]) -> Sequence[Entry]:
    """Return bindings as clients may see them: a secret has no value."""
    return [
        {"name": entry["name"], "type": SECRET} if entry["type"] == SECRET else entry
        for entry in entries
    ]


def _is_sealed(entry: Entry) -> bool:
    return entry["type"] == SECRET and "secret" in entry


def _only_text(entry: Entry) -> Entry:
    """Drop all else: the id of a sealed value is not for clients to give."""
    return {key: entry[key] for key in ("name", "type", "text") if key in entry}


def _named(entry: Entry) -> tuple[str, str]:
    name, kind = entry.get("name"), entry.get("type")
    if not isinstance(name, str) or not name or not isinstance(kind, str):
        raise invalid(f"A binding needs a `name` and a `type`: {str(name)[:80]!r}.")
    return name, kind


def _check_variables(variables: Sequence[Entry]) -> None:
    if len(variables) > VARIABLES_MAX:
        raise bad(
            f"The Worker has {len(variables)} variables and secrets, {VARIABLES_MAX} "
            "are the most.",
            TOO_MANY_BINDINGS,
        )
    for entry in variables:
        value = entry.get("json") if entry["type"] == "json" else entry.get("text", "")
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        size = len(text.encode())
        if size > VARIABLE_MAX_BYTES:
            raise bad(
                f"The variable {entry['name']!r} is {size} bytes, "
                f"{VARIABLE_MAX_BYTES} are the most: keep large values in KV.",
                VARIABLE_TOO_LARGE,
            )


def _check_shapes(entries: Sequence[Entry], bindings: Sequence[AnyBinding]) -> None:
    shown = [{**entry, "text": ""} if "secret" in entry else entry for entry in entries]
    for entry in shown:
        if entry["type"] in {"plain_text", SECRET} and not isinstance(
            entry.get("text"), str
        ):
            raise invalid(f"The binding {entry['name']!r} needs `text`, a string.")
    try:
        tables = uploaded_tables(shown, bindings)
        for binding in bindings:
            if binding.table in tables:
                binding.parse(tables[binding.table])
    except ManifestError as error:
        raise invalid(str(error)) from error
    except msgspec.ValidationError as error:
        raise invalid(f"A binding has a wrong shape: {error}.") from error


def _check_class(
    state: State, account: str, script: ScriptState, entry: Entry, other: str
) -> None:
    found = script if other == script.name else find_script(state, account, other)
    name, class_name = entry["name"], entry["class_name"]
    if found is None:
        raise bad(
            f"The binding {name!r} is to a class of the Worker {other[:80]!r}, which "
            "is not there. Deploy it first.",
            NO_CLASS,
        )
    if class_name not in classes_of(found):
        raise bad(
            f"Cannot create binding for class {class_name[:80]!r} because "
            f"{found.name} is not configured to implement Durable Objects of it: add "
            "the class to `new_sqlite_classes` of a migration there.",
            NO_CLASS,
        )


def _not_run(entry: Entry, runs: Collection[str]) -> ApiError:
    return invalid(
        f"The binding {entry['name']!r} has type {entry['type'][:40]!r}, which is not "
        f"supported by this node yet; it has {', '.join(sorted(runs))}."
    )
