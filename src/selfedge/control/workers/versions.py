"""Versions and deployments of Workers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from selfedge.api.body import read_as
from selfedge.api.paging import numbered
from selfedge.binding import Call, Page, Route
from selfedge.catalog.deployments import check_shares, current
from selfedge.catalog.model import ScriptState, Share, Version
from selfedge.control.workers.bindings import SECRET
from selfedge.control.workers.metadata import Settings, annotations
from selfedge.control.workers.problem import SECRETS_CHANGED, bad, missing
from selfedge.control.workers.releases import deployment_of, release
from selfedge.control.workers.shown import deployment_shown, version_shown
from selfedge.control.workers.workers import Workers

_SCRIPT = "/accounts/{account}/workers/scripts/{script}"
NO_DEPLOYMENT = 10094


class _Wanted(msgspec.Struct, frozen=True, kw_only=True):
    versions: list[Share]
    strategy: Literal["percentage"] = "percentage"
    annotations: Mapping[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Versions:
    """Lists versions; deploys one, or two."""

    workers: Workers

    def routes(self) -> Sequence[Route]:
        """Return its routes."""
        deployments = f"{_SCRIPT}/deployments"
        return [
            Route(method=method, path=path, answer=answer)
            for method, path, answer in (
                ("GET", f"{_SCRIPT}/versions", self._list),
                ("GET", f"{_SCRIPT}/versions/{{version}}", self._get),
                ("GET", deployments, self._deployments),
                ("POST", deployments, self._deploy),
                ("GET", f"{deployments}/{{deployment}}", self._deployment),
            )
        ]

    async def _list(self, call: Call) -> Page:
        script = self.workers.script(call)
        page = self.workers.newest(script, call.query, version_shown)
        return Page(items={"items": page.items}, info=page.info)

    async def _get(self, call: Call) -> Mapping[str, Any]:
        script = self.workers.script(call)
        return version_shown(self.workers.version(script, call.path["version"]))

    async def _deployments(self, call: Call) -> Page:
        script = self.workers.script(call)
        shown = [deployment_shown(one) for one in script.deployments]
        page = numbered(shown, call.query)
        return Page(
            items={"deployments": page.items, "items": page.items}, info=page.info
        )

    async def _deployment(self, call: Call) -> Mapping[str, Any]:
        script = self.workers.script(call)
        for one in script.deployments:
            if one.id == call.path["deployment"]:
                return deployment_shown(one)
        raise missing(
            f"{script.name} has no deployment {call.path['deployment'][:80]}.",
            NO_DEPLOYMENT,
        )

    async def _deploy(self, call: Call) -> Mapping[str, Any]:
        self.workers.script(call)
        wanted = await read_as(call, _Wanted)
        notes = annotations(Settings(annotations=wanted.annotations))
        async with self.workers.turn(call):
            script = self.workers.script(call)
            check_shares(script, wanted.versions)
            back = self._back(script, wanted.versions)
            if back is not None and call.query.get("force") != "true":
                _check_secrets(*back)
            deployment = deployment_of(
                self.workers,
                call,
                wanted.versions,
                "promotion" if back is None else "rollback",
                notes,
            )
            await release(self.workers, call, deployment, lambda now: now)
        return deployment_shown(deployment)

    def _back(
        self, script: ScriptState, shares: Sequence[Share]
    ) -> tuple[Version, Version] | None:
        """Return (the newest live version, an older one) if all goes back to that."""
        deployment = current(script)
        if deployment is None or len(shares) != 1:
            return None
        wanted = self.workers.version(script, shares[0].version_id)
        live = [self.workers.version(script, i.version_id) for i in deployment.versions]
        newest = max(live, key=lambda one: one.number)
        return (newest, wanted) if wanted.number < newest.number else None


def _check_secrets(newest: Version, back: Version) -> None:
    """Refuse to go back to a version with other secrets.

    Raises:
        ApiError: it has others (10220).
    """
    if changed := _differing(newest, back):
        raise bad(
            f"The following secrets have changed: {', '.join(changed)}",
            SECRETS_CHANGED,
        )


def _differing(one: Version, other: Version) -> Sequence[str]:
    """Return the names of secrets that are not the same value in both versions."""
    names = set(_secrets(one).items()) ^ set(_secrets(other).items())
    return sorted({name for name, _ in names})


def _secrets(version: Version) -> Mapping[str, str]:
    return {
        entry["name"]: entry["secret"]
        for entry in version.bindings
        if entry["type"] == SECRET
    }
