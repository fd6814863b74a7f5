"""Which Workers share a process: those whose Durable Objects others use, pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from selfedge.binding import Way, props_text
from selfedge.catalog.model import Account, ScriptState, Version

Versions = Callable[[str], Version]
"""id → version."""


def deployed(script: ScriptState, versions: Versions) -> Iterator[Version]:
    """Yield the versions that clients of `script` reach."""
    if script.deployments:
        for share in script.deployments[0].versions:
            yield versions(share.version_id)


def groups(account: Account, versions: Versions) -> list[frozenset[str]]:
    """Return the sets of deployed scripts that share a process."""
    leaders = {
        name: name for name, script in account.scripts.items() if script.deployments
    }
    for name in list(leaders):
        for version in deployed(account.scripts[name], versions):
            for other in foreign_owners(version.bindings, name):
                if other in leaders:
                    leaders[_leader(leaders, other)] = _leader(leaders, name)
    found: dict[str, set[str]] = {}
    for name in leaders:
        found.setdefault(_leader(leaders, name), set()).add(name)
    return [frozenset(names) for names in found.values()]


def foreign_owners(bindings: Iterable[Mapping[str, Any]], own: str) -> Iterator[str]:
    """Yield the scripts whose Durable Objects `bindings` use."""
    for binding in bindings:
        if binding.get("type") == "durable_object_namespace":
            owner = binding.get("script_name") or own
            if owner != own:
                yield owner


def callees(bindings: Iterable[Mapping[str, Any]]) -> Iterator[Way]:
    """Yield the ways by which `bindings` call other Workers."""
    for binding in bindings:
        if binding.get("type") == "service":
            yield Way(
                script=str(binding.get("service")),
                entrypoint=binding.get("entrypoint") or None,
                props=props_text(binding.get("props")),
            )


def _leader(leaders: Mapping[str, str], name: str) -> str:
    while leaders[name] != name:
        name = leaders[name]
    return name
