"""Secrets of Workers: each change is a new version, which is deployed at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from selfedge.api.body import read_as
from selfedge.api.paging import whole_list
from selfedge.binding import Call, Page, Route
from selfedge.catalog.deployments import current
from selfedge.catalog.model import ScriptState, Version
from selfedge.catalog.scripts import with_version
from selfedge.control.workers.bindings import SECRET, Entry, public
from selfedge.control.workers.limits import SECRETS_AT_ONCE_MAX
from selfedge.control.workers.making import TRIGGER, revised
from selfedge.control.workers.problem import (
    NAME_TAKEN,
    NO_SECRET,
    NOT_LATEST,
    bad,
    invalid,
    missing,
)
from selfedge.control.workers.releases import deployment_of, release, whole
from selfedge.control.workers.workers import Workers

_SECRETS = "/accounts/{account}/workers/scripts/{script}/secrets"


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """A secret as clients give it."""

    name: str
    text: str
    type: Literal["secret_text"] = "secret_text"


class _Bulk(msgspec.Struct, frozen=True):
    secrets: dict[str, Secret | None]


def with_secrets(
    before: Sequence[Entry], changes: Mapping[str, str | None]
) -> Sequence[Entry]:
    """Return bindings with these secrets put, or taken away where there is None.

    Raises:
        ApiError: another kind of binding has the name of one.
    """
    for entry in before:
        if entry["name"] in changes and entry["type"] != SECRET:
            raise bad(
                f"Binding name {entry['name']!r} already in use: it is of type "
                f"{entry['type']}. Use another name, or deploy without that binding.",
                NAME_TAKEN,
            )
    kept = [entry for entry in before if entry["name"] not in changes]
    put = [
        {"name": name, "type": SECRET, "text": text}
        for name, text in changes.items()
        if text is not None
    ]
    return [*kept, *put]


@dataclass(frozen=True, slots=True)
class Secrets:
    """Puts, lists and deletes secrets; nothing shows their values."""

    workers: Workers

    def routes(self) -> Sequence[Route]:
        """Return its routes."""
        return [
            Route(method="GET", path=_SECRETS, answer=self._list),
            Route(method="PUT", path=_SECRETS, answer=self._put),
            Route(method="GET", path=f"{_SECRETS}/{{name}}", answer=self._get),
            Route(method="DELETE", path=f"{_SECRETS}/{{name}}", answer=self._delete),
            Route(method="PATCH", path=f"{_SECRETS}-bulk", answer=self._bulk),
        ]

    async def _list(self, call: Call) -> Page:
        return whole_list(public(self._of(self.workers.script(call))), call.query)

    async def _get(self, call: Call) -> Mapping[str, Any]:
        name = self._known(self.workers.script(call), call.path["name"])
        return {"name": name, "type": SECRET}

    async def _put(self, call: Call) -> Mapping[str, Any]:
        self.workers.script(call)
        given = await read_as(call, Secret)
        await self._change(call, {given.name: given.text})
        return {"name": given.name, "type": SECRET}

    async def _delete(self, call: Call) -> None:
        name = self._known(self.workers.script(call), call.path["name"])
        await self._change(call, {name: None})

    async def _bulk(self, call: Call) -> Sequence[Mapping[str, Any]]:
        self.workers.script(call)
        given = (await read_as(call, _Bulk)).secrets
        if len(given) > SECRETS_AT_ONCE_MAX:
            raise invalid(
                f"There are {len(given)} secrets, {SECRETS_AT_ONCE_MAX} at once are "
                "the most."
            )
        changes = {name: one.text if one else None for name, one in given.items()}
        await self._change(call, changes)
        return public(self._of(self.workers.script(call)))

    async def _change(self, call: Call, changes: Mapping[str, str | None]) -> None:
        if "" in changes:
            raise invalid("A secret needs a name.")
        async with self.workers.turn(call):
            script = self.workers.script(call)
            latest = self._latest_deployed(script)
            entries = with_secrets(latest.bindings, changes)
            version = await revised(
                self.workers,
                call,
                script,
                entries,
                source="secret",
                annotations={TRIGGER: "secret"},
            )
            await release(
                self.workers,
                call,
                deployment_of(self.workers, call, whole(version), "secret"),
                lambda now: with_version(now, version.id),
            )

    def _latest_deployed(self, script: ScriptState) -> Version:
        deployment = current(script)
        live = deployment.versions if deployment else ()
        if len(live) == 1 and live[0].version_id == script.versions[-1]:
            return self.workers.latest(script)
        raise bad(
            f"The latest version of {script.name} is not (fully) deployed, so that a "
            "secret cannot be changed without a choice of version: deploy the latest "
            "one first, or use `wrangler versions secret put`.",
            NOT_LATEST,
        )

    def _of(self, script: ScriptState) -> Sequence[Entry]:
        version = self.workers.live(script)
        entries = version.bindings if version else ()
        return [entry for entry in entries if entry["type"] == SECRET]

    def _known(self, script: ScriptState, name: str) -> str:
        if name not in {entry["name"] for entry in self._of(script)}:
            raise missing(f"{script.name} has no secret {name[:80]!r}.", NO_SECRET)
        return name
