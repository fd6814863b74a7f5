"""Who uses a Worker: other Workers' bindings to it and its classes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from selfedge.api.paging import numbered, whole_list
from selfedge.binding import Call, Page, Route
from selfedge.catalog.model import ScriptState
from selfedge.catalog.scripts import account_of, script_of
from selfedge.control.workers.bindings import Entry, hosted_by
from selfedge.control.workers.workers import Workers

_ACCOUNT = "/accounts/{account}"
_REACHING = frozenset({"service", "durable_object_namespace"})
_SCRIPT = f"{_ACCOUNT}/workers/scripts/{{script}}"


def users_of(workers: Workers, account: str, name: str) -> Sequence[str]:
    """Return the other Workers whose bindings reach this one, or its objects."""
    found = {other.name for other, _ in _uses(workers, account, name)}
    return sorted(found - {name})


def namespace_id(account: str, script: str, class_name: str) -> str:
    """Return the id of a namespace of Durable Objects."""
    return sha256(f"{account}.{script}.{class_name}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class References:
    """What clients ask before they delete a Worker."""

    workers: Workers

    def routes(self) -> Sequence[Route]:
        """Return its routes."""
        return [
            Route(method="GET", path=path, answer=answer)
            for path, answer in (
                (f"{_SCRIPT}/references", self._references),
                (f"{_ACCOUNT}/workers/tails/by-consumer/{{script}}", self._producers),
                (f"{_ACCOUNT}/workers/durable_objects/namespaces", self._namespaces),
                (f"{_ACCOUNT}/containers/applications", self._none),
            )
        ]

    async def _references(self, call: Call) -> Mapping[str, Any]:
        name = self.workers.script(call).name
        incoming, objects = [], []
        for other, entry in _uses(self.workers, call.account, name):
            if entry["type"] == "service":
                incoming.append({"name": other.name, "service": other.name})
            else:
                class_name = entry["class_name"]
                objects.append(
                    {
                        "service": other.name,
                        "durable_object_namespace_id": namespace_id(
                            call.account, name, class_name
                        ),
                        "durable_object_namespace_name": f"{name}_{class_name}",
                    }
                )
        return {
            "services": {
                "incoming": [one for one in incoming if one["name"] != name],
                "outgoing": [],
                "pages_function": False,
            },
            "durable_objects": objects,
            "dispatch_outbounds": [],
        }

    async def _producers(self, call: Call) -> Page:
        name = call.path["script"]
        account = account_of(self.workers.catalog.state, call.account)
        found = [
            {"consumer": {"script": name}, "producer": {"script": other.name}}
            for other in account.scripts.values()
            if any(one.get("service") == name for one in other.settings.tail_consumers)
        ]
        return whole_list(found, call.query)

    async def _namespaces(self, call: Call) -> Page:
        account = account_of(self.workers.catalog.state, call.account)
        found = [
            {
                "id": namespace_id(account.id, script.name, hosted.class_name),
                "name": f"{script.name}_{hosted.class_name}",
                "script": script.name,
                "class": hosted.class_name,
                "use_sqlite": hosted.sql,
            }
            for script in account.scripts.values()
            for hosted in hosted_by(script)
        ]
        return numbered(found, call.query)

    async def _none(self, call: Call) -> Page:
        return whole_list([], call.query)


def _uses(
    workers: Workers, account: str, name: str
) -> Iterator[tuple[ScriptState, Entry]]:
    """Yield the bindings of any Worker that clients reach to this one."""
    script_of(workers.catalog.state, account, name)
    for other in account_of(workers.catalog.state, account).scripts.values():
        version = workers.live(other)
        for entry in version.bindings if version else ():
            own = other.name if entry["type"] == "durable_object_namespace" else None
            target = entry.get("service") or entry.get("script_name") or own
            if entry["type"] in _REACHING and target == name:
                yield other, entry
