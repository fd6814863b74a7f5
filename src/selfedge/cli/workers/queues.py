"""The queues that a project sends to and takes from, on a node."""

from collections.abc import Mapping, Sequence
from typing import Any

from selfedge.client.api import Api, segment
from selfedge.errors import UsageError

QUEUES = "/accounts/{account}/queues"
_SETTINGS = {
    "max_batch_size": "batch_size",
    "max_retries": "max_retries",
    "max_concurrency": "max_concurrency",
    "retry_delay": "retry_delay",
}
"""Keys of a wrangler file → those of the API."""


def ensured(node: Api, name: str) -> None:
    """Make a queue if it is not there."""
    if _found(node, name) is None:
        node.call("POST", QUEUES, json={"queue_name": name})


def consumed(node: Api, script: str, table: Mapping[str, Any]) -> Sequence[str]:
    """Give a Worker the queues that it consumes; return what it takes from.

    Raises:
        UsageError: a queue is not there.
        ApiError: another Worker takes from it.
    """
    told = []
    for one in table.get("consumers") or ():
        queue = _found(node, one["queue"])
        if queue is None:
            raise UsageError(
                f"the queue {one['queue']!r}, which {script} consumes, is not there: "
                f"wrangler queues create {one['queue']}"
            )
        _attached(node, queue, script, consumer(script, one))
        told.append(f"queue: {one['queue']}")
    return told


def consumer(script: str, one: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the API is told of an entry of `consumers`."""
    settings = {new: one[old] for old, new in _SETTINGS.items() if old in one}
    if "max_batch_timeout" in one:
        settings["max_wait_time_ms"] = 1000 * one["max_batch_timeout"]
    letters = one.get("dead_letter_queue")
    extra = {"dead_letter_queue": letters} if letters else {}
    return {"type": "worker", "script_name": script, "settings": settings, **extra}


def _attached(
    node: Api, queue: Mapping[str, Any], script: str, body: Mapping[str, Any]
) -> None:
    path = f"{QUEUES}/{segment(queue['queue_id'])}/consumers"
    for known in queue["consumers"]:
        if script in {known.get("script"), known.get("script_name")}:
            node.call("PUT", f"{path}/{segment(known['consumer_id'])}", json=body)
            return
    node.call("POST", path, json=body)


def _found(node: Api, name: str) -> Mapping[str, Any] | None:
    found = node.call("GET", QUEUES, query={"name": name, "page": "1"})
    return next((one for one in found if one["queue_name"] == name), None)
