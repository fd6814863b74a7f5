"""Resources that a wrangler file binds without naming one: found, or made."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from selfedge.cli.workers.queues import ensured
from selfedge.client.api import Api

Entry = Mapping[str, Any]
Make = Callable[[Api, str], Entry]
"""(node, name of what is to be made) → what the entry gets."""


def provisioned(
    node: Api, script: str, wanted: Sequence[Entry], there: Sequence[Entry]
) -> Sequence[Entry]:
    """Return `wanted` with every resource named.

    What the Worker has already is inherited, by name and type; else one is made that
    is called as wrangler calls it: WORKER-BINDING.
    """
    known = {(one["name"], one["type"]) for one in there}
    found: list[Entry] = []
    for entry in wanted:
        if entry["type"] == "queue" and "queue_name" in entry:
            ensured(node, entry["queue_name"])  # its name is all that one can give
        field, make = _MAKERS.get(entry["type"], (None, None))
        if field is None or make is None or field in entry:
            found.append(entry)
        elif (entry["name"], entry["type"]) in known:
            found.append({"name": entry["name"], "type": "inherit"})
        else:
            name = f"{script}-{entry['name'].lower().replace('_', '-')}"
            found.append({**entry, **make(node, name)})
    return found


def _namespace(node: Api, title: str) -> Entry:
    path = "/accounts/{account}/storage/kv/namespaces"
    for one in node.every(path, {"per_page": "1000"}):
        if one["title"] == title:
            return {"namespace_id": one["id"]}
    return {"namespace_id": node.call("POST", path, json={"title": title})["id"]}


def _database(node: Api, name: str) -> Entry:
    path = "/accounts/{account}/d1/database"
    for one in node.every(path, {"per_page": "100"}):
        if one["name"] == name:
            return {"id": one["uuid"]}
    return {"id": node.call("POST", path, json={"name": name})["uuid"]}


def _bucket(node: Api, name: str) -> Entry:
    path = "/accounts/{account}/r2/buckets"
    found = node.call("GET", path, query={"name_contains": name})["buckets"]
    if name not in {one["name"] for one in found}:
        node.call("POST", path, json={"name": name})
    return {"bucket_name": name}


def _queue(node: Api, name: str) -> Entry:
    ensured(node, name)
    return {"queue_name": name}


_MAKERS: Mapping[str, tuple[str, Make]] = {
    "kv_namespace": ("namespace_id", _namespace),
    "d1": ("id", _database),
    "r2_bucket": ("bucket_name", _bucket),
    "queue": ("queue_name", _queue),
}
