"""What revisions of the catalog need to be kept, pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from selfedge.catalog.model import ScriptState, State, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What somebody names."""

    versions: set[str] = field(default_factory=set)
    blobs: set[str] = field(default_factory=set)  # sha256
    assets: set[tuple[str, str]] = field(default_factory=set)  # account, hash
    secrets: set[str] = field(default_factory=set)

    def assets_of(self, account: str) -> Iterator[str]:
        """Yield the hashes of an account's static files."""
        return (name for owner, name in self.assets if owner == account)


def used_by(states: Iterable[State], version: Callable[[str], Version]) -> Used:
    """Return what these states need; what `version` raises passes."""
    used = Used()
    for state in states:
        for account in state.accounts.values():
            for script in account.scripts.values():
                for version_id in versions_of(script):
                    if version_id not in used.versions:
                        used.versions.add(version_id)
                        _add(used, account.id, version(version_id))
    return used


def deployed_versions(state: State) -> Iterator[tuple[str, str]]:
    """Yield (account, version id) of all that clients reach."""
    for account in state.accounts.values():
        for script in account.scripts.values():
            for deployment in script.deployments[:1]:
                for share in deployment.versions:
                    yield account.id, share.version_id


def versions_of(script: ScriptState) -> Iterator[str]:
    """Yield the id of each version that a script names."""
    yield from script.versions
    for deployment in script.deployments:
        for share in deployment.versions:
            yield share.version_id


def _add(used: Used, account: str, version: Version) -> None:
    used.blobs.update(module.sha256 for module in version.modules)
    if version.source_map is not None:
        used.blobs.add(version.source_map)
    used.secrets.update(
        binding["secret"]
        for binding in version.bindings
        if binding["type"] == "secret_text" and "secret" in binding
    )
    if version.assets is not None:
        used.assets.update((account, name) for name in version.assets.files.values())
